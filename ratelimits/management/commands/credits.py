"""Credits: who has how many and why; grant, refund, expire; see whether the ledger adds up."""

from __future__ import annotations

import uuid
from argparse import ArgumentTypeError
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.management.arguments import find_user, whole_number
from datasync.management.base import ActionsCommand, Exit, Outcome
from datasync.management.tables import facts, table
from ratelimits.credits import selectors, services
from ratelimits.credits.choices import EntryKind
from ratelimits.credits.models import CreditEntry
from ratelimits.quotas.exceptions import UserNotFound

MOST_LISTED = 10_000


class Command(ActionsCommand):
    summary = gettext_lazy("Credits: balances and the ledger; grant, refund and expire; check that it adds up.")

    def add_actions(self) -> None:
        """Declare the actions."""
        balance = self.add_action("balance", self.balance, _("how many credits a person has, or everybody"))
        balance.add_argument("username", nargs="?", help=_("name of the person"))
        self._add_grant()
        entries = self.add_action("entries", self.entries, _("the ledger of a person, the latest first"))
        _add_person(entries)
        entries.add_argument("--kind", choices=EntryKind.values, help=_("only of this kind"))
        entries.add_argument(
            "--limit", type=whole_number(1, MOST_LISTED), default=50, help=_("how many at most (default 50)")
        )
        refund = self.add_action("refund", self.refund, _("give back what was taken for a task, once"))
        refund.add_argument("task_id", help=_("id of the task, see “manage.py task_status”"))
        refund.add_argument("--note", default="", help=_("what for"))
        expire = self.add_action("expire", self.expire, _("take out what is left of credits that have ended"))
        expire.add_argument("username", nargs="?", help=_("only of this person"))
        self.add_action(
            "check", self.compare, _("whether every balance is the sum of its entries; exit code 4 when one is not")
        )

    def _add_grant(self) -> None:
        grant = self.add_action("grant", self.grant, _("give a person credits"))
        _add_person(grant)
        grant.add_argument("amount", type=whole_number(1, services.MOST_CREDITS), help=_("how many"))
        grant.add_argument("--note", default="", help=_("what for"))
        grant.add_argument("--expires", type=_moment, help=_("when what is left of them ends: ISO date and time"))
        grant.add_argument("--key", help=_("a name for this grant: run again with it, it is granted once"))
        grant.add_argument("--user", help=_("in whose name"))

    def balance(self, options: dict[str, Any]) -> Outcome:
        """What a person has and when it ends, or everybody's balance."""
        if options["username"]:
            user = _person(options["username"])
            standing = selectors.standing_of(user)
            ends = [{"amount": end.amount, "expires_at": end.expires_at} for end in standing.ends]
            document = {"username": user.username, "balance": standing.balance, "ends": ends}
            rows = [(end.amount, end.expires_at) for end in standing.ends]
            lines = [*facts([(_("person"), user.username), (_("credits"), standing.balance)])]
            return Outcome(document, [*lines, "", *table((_("credits"), _("end")), rows)] if rows else lines)
        found = selectors.balances()
        accounts = [{"username": name, "balance": balance} for name, balance in found]
        return Outcome(accounts, table((_("person"), _("credits")), found))

    def grant(self, options: dict[str, Any]) -> Outcome:
        """Give a person credits."""
        entry = services.grant(
            _person(options["username"]),
            amount=options["amount"],
            key=options["key"] or str(uuid.uuid4()),
            note=options["note"],
            expires_at=options["expires"],
            by=find_user(options["user"]),
        )
        return _listing([entry])

    def entries(self, options: dict[str, Any]) -> Outcome:
        """The latest entries of a person."""
        entries = selectors.entries_of(_person(options["username"]), kind=options["kind"] or "")
        return _listing(entries[: options["limit"]])

    def refund(self, options: dict[str, Any]) -> Outcome:
        """Give back what was taken for a task."""
        entry = services.refund(options["task_id"], note=options["note"])
        return _listing([entry]) if entry else Outcome([], [_("Nothing was taken for this task.")])

    def expire(self, options: dict[str, Any]) -> Outcome:
        """Take out what has ended."""
        person = _person(options["username"]) if options["username"] else None
        expired = services.expire(person)
        document = {"grants": expired.grants, "credits": expired.credits}
        return Outcome(document, facts([(_("grants that ended"), expired.grants), (_("credits"), expired.credits)]))

    def compare(self, _options: dict[str, Any]) -> Outcome:
        """Whose ledger does not add up."""
        found = selectors.mismatches()
        names = ("username", "balance", "entries", "left")
        document = [{name: getattr(one, name) for name in names} for one in found]
        if not found:
            return Outcome([], [_("Every balance is the sum of its entries.")])
        headers = (_("person"), _("credits"), _("sum of the entries"), _("left of the grants"))
        return Outcome(document, table(headers, (tuple(one.values()) for one in document)), Exit.REFUSED)


def _add_person(parser: CommandParser) -> None:
    parser.add_argument("username", help=_("name of the person"))


def _person(username: str) -> User:
    user = find_user(username)
    if user is None:  # the name was blank
        raise UserNotFound(what=username)
    return user


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(_("“%(text)s” is no ISO date and time") % {"text": text}) from None
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _listing(entries: Iterable[CreditEntry]) -> Outcome:
    rows = list(entries)
    document = [
        {
            "id": entry.pk,
            "at": entry.at,
            "username": entry.user.username,
            "kind": entry.kind,
            "amount": entry.amount,
            "uncovered": entry.uncovered,
            "balance_after": entry.balance_after,
            "key": entry.key,
            "task_id": entry.task or None,
            "note": entry.note,
            "by": entry.by,
            "expires_at": entry.expires_at,
        }
        for entry in rows
    ]
    headers = (_("at"), _("kind"), _("credits"), _("not covered"), _("balance"), _("task"), _("note"))
    return Outcome(document, table(headers, (_line(entry) for entry in rows)))


def _line(entry: CreditEntry) -> tuple[Any, ...]:
    at, kind = f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}", EntryKind(entry.kind).label
    return at, kind, entry.amount, entry.uncovered, entry.balance_after, entry.task, entry.note
