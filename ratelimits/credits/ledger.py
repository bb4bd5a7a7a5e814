"""A person's ledger while it is held: entries are written one after the other, with the balance and what is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
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
def ledger_of(user_id: int, *, opened: bool = False) -> Iterator[Ledger]:
    """Hold the person's ledger for a transaction; whoever else wants it waits.

    With ``opened`` an account is opened where there is none; else it has to be there.
    """
    with transaction.atomic():
        hold_briefly()
        if opened:
            CreditAccount.objects.get_or_create(user_id=user_id)
        account = CreditAccount.objects.select_for_update().get(user_id=user_id)
        now: datetime = CreditAccount.objects.filter(user_id=user_id).values_list(Now(), flat=True).get()
        yield Ledger(account, now)


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

    def add(self, *, amount: int, expires_at: datetime | None, **told: Any) -> CreditEntry:
        """Add to the balance; what is added ends at ``expires_at``, or never."""
        entry = self._append(kind=EntryKind.GRANT, amount=amount, expires_at=expires_at, **told)
        CreditLot.objects.create(entry=entry, user_id=entry.user_id, remaining=amount, expires_at=expires_at)
        return entry

    def take(self, *, amount: int, **told: Any) -> CreditEntry:
        """Take as much as there is, the oldest first; what has ended is taken out before."""
        self.expire()
        missing, taken = amount, []
        for lot in self._open_lots():
            part = min(lot.remaining, missing)
            self._put(lot, -part)
            taken.append((lot, part))
            missing -= part
            if not missing:
                break
        told |= {"taken_from": [[lot.pk, part] for lot, part in taken], "uncovered": missing}
        end = _last_end(lot for lot, _part in taken)
        return self._append(kind=EntryKind.CONSUME, amount=missing - amount, expires_at=end, **told)

    def give_back(self, used: Iterable[CreditEntry], **told: Any) -> CreditEntry:
        """Undo these uses: each part is again where it was taken from, and ends when that does.

        What has ended meanwhile is entered as expired at once.
        """
        self.expire()
        parts = Counter[int]()
        for one in used:
            for lot_id, part in one.taken_from:
                parts[lot_id] += part
        lots = list(CreditLot.objects.filter(pk__in=parts).order_by("entry_id"))
        entry = self._append(kind=EntryKind.REFUND, amount=parts.total(), expires_at=_last_end(lots), **told)
        for lot in lots:
            self._put(lot, parts[lot.pk])
            if lot.expires_at is not None and lot.expires_at <= self.now:
                self._end(lot, key=f"expire:{lot.pk}:{entry.pk}")
        return entry

    def expire(self) -> list[CreditEntry]:
        """Take out what is left of what has ended, an entry for each grant."""
        return [self._end(lot, key=f"expire:{lot.pk}") for lot in self._open_lots().filter(expires_at__lte=self.now)]

    def _open_lots(self) -> Any:
        return CreditLot.objects.filter(user_id=self._account.user_id, remaining__gt=0).order_by("entry_id")

    def _end(self, lot: CreditLot, *, key: str) -> CreditEntry:
        left = lot.remaining
        self._put(lot, -left)
        return self._append(kind=EntryKind.EXPIRE, amount=-left, expires_at=lot.expires_at, key=key)

    @staticmethod
    def _put(lot: CreditLot, amount: int) -> None:
        lot.remaining += amount
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


def _last_end(lots: Iterable[CreditLot]) -> datetime | None:
    """When the last of these ends; None where one never does, or there are none."""
    ends = [lot.expires_at for lot in lots]
    known = [end for end in ends if end is not None]
    return max(known, default=None) if len(known) == len(ends) else None
