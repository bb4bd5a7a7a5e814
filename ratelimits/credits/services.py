"""What can be done with a person's credits. Each is done once for its key, however often it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.db.models.functions import Now

from datasync.exceptions import CreditsExhausted
from ratelimits.credits.choices import EntryKind
from ratelimits.credits.exceptions import AmountOutOfRange, ExpiryPassed, NotSuchText
from ratelimits.credits.ledger import ledger_of
from ratelimits.credits.models import (
    LONGEST_KEY,
    LONGEST_NOTE,
    LONGEST_TASK,
    CreditAccount,
    CreditEntry,
    CreditLot,
)
from ratelimits.credits.selectors import available

MOST_CREDITS = 10**12
"""In one entry."""
LONGEST_GRANT_KEY = LONGEST_KEY - len("grant:")


@dataclass(frozen=True, slots=True)
class Expired:
    """How many grants had ended with something left, and how much that was."""

    grants: int
    credits: int


def grant(
    user: AbstractBaseUser,
    *,
    amount: int,
    key: str,
    note: str = "",
    expires_at: datetime | None = None,
    by: AbstractBaseUser | None = None,
) -> CreditEntry:
    """Give credits, which end at ``expires_at`` or never. The same key again gives the same entry and nothing more.

    Raises ``CreditKeyTaken`` where the key came with another grant, and ``InvalidRequest``.
    """
    _require_amount(amount)
    _require_text("key", key, least=1, most=LONGEST_GRANT_KEY)
    _require_text("note", note, most=LONGEST_NOTE)
    key = f"grant:{key}"
    with ledger_of(user.pk, opened=True) as ledger:
        written = ledger.written(key=key, kind=EntryKind.GRANT, amount=amount, note=note, expires_at=expires_at)
        if written is not None:
            return written
        if expires_at is not None and expires_at <= ledger.now:
            raise ExpiryPassed(field="expires_at")
        name = by.get_username() if by else ""
        return ledger.add(amount=amount, expires_at=expires_at, key=key, note=note, by=name)


def consume(user: AbstractBaseUser, *, amount: int, key: str, task: str = "", note: str = "") -> CreditEntry | None:
    """Take credits for something that was done, as many as there are; the entry says how many the balance lacked.

    None where the person has no account, and so is not charged; that spends no key: the same asked for again after the
    first grant is charged. Raises ``CreditKeyTaken`` where the key came with
    something else, and ``InvalidRequest``.
    """
    _require_amount(amount)
    _require_text("key", key, least=1, most=LONGEST_KEY)
    _require_text("task", task, most=LONGEST_TASK)
    _require_text("note", note, most=LONGEST_NOTE)
    if not CreditAccount.objects.filter(user_id=user.pk).exists():
        return None
    with ledger_of(user.pk) as ledger:
        written = ledger.written(key=key, kind=EntryKind.CONSUME, amount=amount, task=task, note=note)
        return written or ledger.take(amount=amount, key=key, task=task, note=note)


def refund(task: str, *, note: str = "") -> CreditEntry | None:
    """Give back, once, all that was taken for a task, by its public id; None where nothing was.

    The credits end when those that were taken do. Raises ``InvalidRequest``.
    """
    _require_text("task", task, most=LONGEST_TASK)
    _require_text("note", note, most=LONGEST_NOTE)
    first = _taken_for(task).first()
    if first is None:
        return None
    with ledger_of(first.user_id) as ledger:
        key = f"refund:{task}"
        if (written := ledger.written(key=key, kind=EntryKind.REFUND, task=task)) is not None:
            return written
        taken = list(_taken_for(task).filter(user_id=first.user_id))
        return ledger.give_back(taken, key=key, task=task, note=note)


def expire(user: AbstractBaseUser | None = None) -> Expired:
    """Take out what is left of credits that have ended, of a person or of all."""
    due = CreditLot.objects.filter(remaining__gt=0, expires_at__lte=Now())
    if user is not None:
        due = due.filter(user_id=user.pk)
    grants = credits_ = 0
    for user_id in due.order_by("user_id").values_list("user_id", flat=True).distinct():
        with ledger_of(user_id) as ledger:
            entries = ledger.expire()
        grants += len(entries)
        credits_ -= sum(entry.amount for entry in entries)
    return Expired(grants=grants, credits=credits_)


def require_credits(user: AbstractBaseUser) -> None:
    """Refuse whoever has no credits. Raises ``CreditsExhausted``."""
    if not (balance := available(user)):
        raise CreditsExhausted(balance=balance)


def _taken_for(task: str) -> QuerySet[CreditEntry]:
    taken = CreditEntry.objects.filter(kind=EntryKind.CONSUME, task=task, amount__lt=0)
    return taken.exclude(task="").order_by("id")


def _require_amount(amount: object) -> None:
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= MOST_CREDITS:
        raise AmountOutOfRange(least=1, most=MOST_CREDITS, field="amount")


def _require_text(name: str, text: str, *, most: int, least: int = 0) -> None:
    if not least <= len(text) <= most or "\0" in text:
        raise NotSuchText(name=name, least=least, most=most, field=name)
