"""A person's ledger while it is held: entries are written one after the other, with the balance and what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from datasync.runs.patience import hold_briefly
from ratelimits.credits.choices import EntryKind
from ratelimits.credits.exceptions import CreditKeyTaken
from ratelimits.credits.models import CreditAccount, CreditEntry, CreditLot


@contextmanager
def ledger_of(user_id: int) -> Iterator[Ledger]:
    """Hold the person's ledger for a transaction; whoever else wants it waits. It is opened where there is none."""
    with transaction.atomic():
        hold_briefly()
        CreditAccount.objects.get_or_create(user_id=user_id)
        account = CreditAccount.objects.select_for_update().get(user_id=user_id)
        now: datetime = CreditAccount.objects.filter(user_id=user_id).values_list(Now(), flat=True).get()
        yield Ledger(account, now)


def last_end(ends: Sequence[datetime | None]) -> datetime | None:
    """When the last of these ends; None where one never does."""
    known = [end for end in ends if end is not None]
    return max(known, default=None) if len(known) == len(ends) else None


class Ledger:
    """What may be written; ``now`` is the time of the database, at which the ledger was got hold of."""

    def __init__(self, account: CreditAccount, now: datetime) -> None:
        self._account = account
        self.now = now

    def written(self, *, key: str, kind: EntryKind, amount: int | None = None, **told: Any) -> CreditEntry | None:
        """The entry with this key, where there is one. Raises ``CreditKeyTaken`` where it says something else.

        ``amount`` is what was asked for, whether or not the balance covered it; None: whatever it is.
        """
        entry = CreditEntry.objects.filter(key=key).first()
        if entry is None:
            return None
        asked = abs(entry.amount) + entry.uncovered if amount is None else amount
        wanted: dict[str, Any] = {"user_id": self._account.user_id, "kind": kind, **told}
        same = all(getattr(entry, name) == value for name, value in wanted.items())
        if not same or asked != abs(entry.amount) + entry.uncovered:
            raise CreditKeyTaken(key=key)
        return entry

    def add(self, *, kind: EntryKind, amount: int, expires_at: datetime | None, **told: Any) -> CreditEntry:
        """Add to the balance; what is added ends at ``expires_at``, or never."""
        entry = self._append(kind=kind, amount=amount, expires_at=expires_at, **told)
        CreditLot.objects.create(entry=entry, user_id=entry.user_id, remaining=amount, expires_at=expires_at)
        return entry

    def take(self, *, amount: int, **told: Any) -> CreditEntry:
        """Take as much as there is, the oldest first; what has ended is taken out before."""
        self.expire()
        taken, ends = 0, []
        for lot in self._open_lots():
            part = min(lot.remaining, amount - taken)
            self._take_from(lot, part)
            taken += part
            ends.append(lot.expires_at)
            if taken == amount:
                break
        told |= {"uncovered": amount - taken, "expires_at": last_end(ends)}
        return self._append(kind=EntryKind.CONSUME, amount=-taken, **told)

    def expire(self) -> list[CreditEntry]:
        """Take out what is left of what has ended, an entry for each grant or refund."""
        entries = []
        for lot in self._open_lots().filter(expires_at__lte=self.now):
            left = lot.remaining
            self._take_from(lot, left)
            key = f"expire:{lot.entry_id}"
            entries.append(self._append(kind=EntryKind.EXPIRE, amount=-left, expires_at=lot.expires_at, key=key))
        return entries

    def _open_lots(self) -> Any:
        return CreditLot.objects.filter(user_id=self._account.user_id, remaining__gt=0).order_by("entry_id")

    @staticmethod
    def _take_from(lot: CreditLot, amount: int) -> None:
        lot.remaining -= amount
        lot.save(update_fields=["remaining"])

    def _append(self, *, amount: int, key: str, **told: Any) -> CreditEntry:
        """Write the entry and the balance after it. No two of this person have one key: the ledger is held."""
        told |= {"user_id": self._account.user_id, "balance_after": self._account.balance + amount}
        try:
            with transaction.atomic():
                entry = CreditEntry.objects.create(amount=amount, key=key, **told)
        except IntegrityError:
            if CreditEntry.objects.filter(key=key).exists():
                raise CreditKeyTaken(key=key) from None
            raise
        self._account.balance = entry.balance_after
        self._account.save(update_fields=["balance"])
        return entry
