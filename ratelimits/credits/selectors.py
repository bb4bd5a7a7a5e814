"""What a person has, the entries that say why, and whether the ledger adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum, Window
from django.db.models.functions import Coalesce, Now

from ratelimits.credits.models import CreditAccount, CreditEntry, CreditLot

MOST_ENDS = 20
"""How many of the next ends are named."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Credits that end, and when."""

    amount: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person has. ``required``: a submit is refused without credits. ``ends`` are the next, soonest first."""

    balance: int
    required: bool
    ends: Sequence[Ending]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A person whose balance is not the sum of the entries, or not the sum of what is left of them."""

    username: str
    balance: int
    entries: int
    left: int


def available(user: AbstractBaseUser) -> int:
    """What the person may use at this moment: without what has ended, whether that is entered yet or not."""
    usable = CreditLot.objects.filter(_usable(), user_id=user.pk)
    total: int = usable.aggregate(total=Sum("remaining", default=0))["total"]
    return total


def standing_of(user: AbstractBaseUser) -> Standing:
    """What the person has, in two statements."""
    ending = CreditLot.objects.filter(_usable(), user_id=user.pk, expires_at__isnull=False).order_by(
        "expires_at", "entry_id"
    )
    ends = [Ending(amount, at) for amount, at in ending.values_list("remaining", "expires_at")[:MOST_ENDS] if at]
    return Standing(balance=available(user), required=settings.CREDITS_REQUIRED, ends=ends)


def entries_of(user: AbstractBaseUser, *, kind: str = "", task: str = "") -> QuerySet[CreditEntry]:
    """The person's entries, the latest first."""
    entries = CreditEntry.objects.filter(user_id=user.pk).order_by("-id")
    conditions = {"kind": kind, "task": task}
    return entries.filter(**{name: value for name, value in conditions.items() if value})


def balances() -> list[tuple[str, int]]:
    """Everybody who has, or had, credits, by name, with what is ``available``."""
    found = CreditAccount.objects.annotate(available=available_of_each()).order_by("user__username")
    return list(found.values_list("user__username", "available"))


def available_of_each() -> Coalesce:
    """What is ``available`` to each person, for a query of accounts."""
    return _sum_of(CreditLot.objects.filter(_usable()), "remaining")


def mismatches() -> list[Mismatch]:
    """Whose ledger does not add up; nobody's, unless somebody wrote to the tables by hand."""
    rows = CreditAccount.objects.annotate(
        entries=_sum_of(CreditEntry.objects.all(), "amount"), left=_sum_of(CreditLot.objects.all(), "remaining")
    )
    running = Window(Sum("amount"), partition_by=F("user"), order_by="id")
    broken = CreditEntry.objects.annotate(running=running).exclude(running=F("balance_after")).order_by()
    wrong = ~Q(balance=F("entries")) | ~Q(balance=F("left")) | Q(user__in=set(broken.values_list("user", flat=True)))
    found = rows.filter(wrong).order_by("user__username")
    return [Mismatch(*row) for row in found.values_list("user__username", "balance", "entries", "left")]


def _usable() -> Q:
    """Of lots: something is left, and it has not ended."""
    return Q(Q(expires_at=None) | Q(expires_at__gt=Now()), remaining__gt=0)


def _sum_of(rows: QuerySet[CreditEntry] | QuerySet[CreditLot], name: str) -> Coalesce:
    one = rows.filter(user=OuterRef("pk")).order_by().values("user").annotate(total=Sum(name)).values("total")
    return Coalesce(Subquery(one), 0)
