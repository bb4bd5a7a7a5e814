"""What rate limits refused, who stands out, and the rules that hold."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from datasync.management.arguments import find_user, whole_number
from datasync.management.base import ActionsCommand, Outcome
from datasync.management.tables import facts, table
from ratelimits.events import selectors, services
from ratelimits.events.clock import today
from ratelimits.events.models import KEY_LENGTH, RateLimitEvent
from ratelimits.limits.choices import Scope
from ratelimits.limits.selectors import Allowance, allowance, rules_of
from ratelimits.rules.selectors import rules

MOST_EVENTS = 1000
MOST_CALLERS = 100
"""How many callers a terminal is shown who stand out."""


class Command(ActionsCommand):
    summary = gettext_lazy("Show what rate limits refused, who stands out, and which rules hold.")

    def add_actions(self) -> None:
        """Each is what a call of the API is."""
        stats = self.add_action("stats", _stats, _("the figures of a day, by caller and by path"))
        stats.add_argument("--date", type=_day, metavar="YYYY-MM-DD", help=_("which day (default: today)"))
        stats.add_argument("--clear", action="store_true", help=_("forget the figures of the day instead"))
        events = self.add_action("events", _events, _("the newest refusals"))
        events.add_argument(
            "--limit", type=whole_number(1, MOST_EVENTS), default=100, help=_("how many (default: %(default)s)")
        )
        events.add_argument("--key", type=_key, default="", help=_("of this caller alone: user:7, or ip:203.0.113.9"))
        events.add_argument("--scope", choices=Scope.values, default="", help=_("of this scope alone"))
        anomalies = self.add_action("anomalies", _anomalies, _("who was refused unusually often within the last hour"))
        anomalies.add_argument(
            "--threshold",
            type=whole_number(selectors.LEAST_THRESHOLD, selectors.MOST_THRESHOLD),
            default=selectors.USUAL_THRESHOLD,
            help=_("who was refused more often than this is listed (default: %(default)s)"),
        )
        mine = self.add_action("limits", _limits, _("what a person may, or whoever has not signed in"))
        mine.add_argument("--user", metavar="NAME", help=_("the person; without one, whoever has not signed in"))
        self.add_action("rules", _rules, _("every rule, with those that are not enabled"))
        self.add_action("purge", _purge, _("forget refusals older than 30 days, or too many; the clock does this too"))


def _stats(options: dict[str, Any]) -> Outcome:
    day = options["date"] or today()
    if options["clear"]:
        cleared = services.clear_day(day)
        told = _("Forgotten: %(count)s counts of %(day)s.") % {"count": cleared, "day": day}
        return Outcome({"date": day, "cleared": cleared}, [told])
    stats = selectors.stats_of(day)
    return Outcome(stats.as_dict(), _stats_lines(stats))


def _stats_lines(stats: selectors.DayStats) -> Iterator[str]:
    if not stats.refused:
        yield _("Nothing was refused on %(day)s.") % {"day": stats.date}
        return
    yield from facts(
        (
            (_("day"), stats.date),
            (_("refused"), stats.refused),
            (_("callers"), stats.callers),
            (_("paths"), stats.paths),
        )
    )
    yield ""
    callers = ((caller.refused, caller.username, caller.key) for caller in stats.by_key)
    yield from table((_("refused"), _("person"), _("caller")), callers)
    yield ""
    yield from table((_("refused"), _("path")), ((path.refused, path.path) for path in stats.by_path))


def _events(options: dict[str, Any]) -> Outcome:
    found = list(selectors.events(key=options["key"], scope=options["scope"])[: options["limit"]])
    if not found:
        return Outcome([], [_("Nothing was refused.")])
    headers = (
        _("last refused"), pgettext("how often", "times"), _("caller"), _("person"), _("scope"), _("limit"),
        _("address"), _("method"), _("path"),
    )  # fmt: skip
    lines = (
        (_moment(event.last_at), event.times, event.key, event.user, event.scope, event.detail, event.address,
         event.method, event.path)
        for event in found
    )  # fmt: skip
    return Outcome([_event_document(event) for event in found], table(headers, lines))


def _event_document(event: RateLimitEvent) -> dict[str, Any]:
    names = (
        "at",
        "last_at",
        "times",
        "key",
        "user_id",
        "address",
        "method",
        "path",
        "scope",
        "tier",
        "detail",
        "agent",
    )
    document = {name: getattr(event, name) for name in names}
    return document | {"username": event.user.get_username() if event.user else None}


def _anomalies(options: dict[str, Any]) -> Outcome:
    threshold: int = options["threshold"]
    callers = selectors.unusual_callers(threshold=threshold)[:MOST_CALLERS]
    found = selectors.anomalies(callers, threshold=threshold)
    if not found:
        return Outcome([], [_("Nobody stands out.")])
    headers = (_("how bad"), _("refused"), _("paths"), _("last refused"), _("person"), _("caller"))
    lines = ((one.level.label, one.refused, one.paths, _moment(one.last_at), one.username, one.key) for one in found)
    return Outcome([one.as_dict() for one in found], table(headers, lines))


def _limits(options: dict[str, Any]) -> Outcome:
    user = find_user(options["user"])
    rows = rules_of(user)
    held = [allowance(rows, user=user, scope=scope) for scope in Scope]
    document = [
        {
            "scope": one.scope.value,
            "tier": one.tier,
            "per_minute": one.per_minute,
            "endpoints": {endpoint: rule.per_minute for endpoint, rule in one.endpoints.items()},
        }
        for one in held
    ]
    return Outcome(document, table((_("a minute"), _("tier"), _("scope"), _("call")), _limit_lines(held)))


def _limit_lines(held: Iterable[Allowance]) -> Iterator[tuple[Any, ...]]:
    for one in held:
        yield one.per_minute, one.tier, one.scope.value, ""
        for endpoint, rule in sorted(one.endpoints.items()):
            yield rule.per_minute, rule.tier, one.scope.value, endpoint


def _rules(_options: dict[str, Any]) -> Outcome:
    names = ("id", "tier", "scope", "endpoint", "per_minute", "enabled", "note")
    found = list(rules().values(*names))
    if not found:
        return Outcome([], [_("There is no rule; the built-in limits hold.")])
    headers = (_("id"), _("tier"), _("scope"), _("call"), _("a minute"), _("enabled"), _("note"))
    return Outcome(found, table(headers, (tuple(rule.values()) for rule in found)))


def _purge(_options: dict[str, Any]) -> Outcome:
    purged = services.purge()
    told = _("Forgotten: %(events)s refusals and %(days)s counts by day.") % purged.as_dict()
    return Outcome(purged.as_dict(), [told])


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # weeks and days of the year are ISO dates too
        raise ArgumentTypeError(_("“%(text)s” is no day; write YYYY-MM-DD") % {"text": text[:60]})
    return day


def _key(text: str) -> str:
    """A caller that the database can be asked for."""
    if not text.isprintable() or len(text) > KEY_LENGTH:
        raise ArgumentTypeError(_("“%(text)s” is no caller; write user:7 or ip:203.0.113.9") % {"text": text[:60]})
    return text


def _moment(moment: Any) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S")
