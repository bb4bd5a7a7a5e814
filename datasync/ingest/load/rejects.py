"""Rows that cannot be trusted, kept whole until somebody decides."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.utils import timezone

from datasync.choices import QUARANTINE_UNDECIDED, QuarantineState
from datasync.ingest.decided import DecidedRows, fingerprint, storable
from datasync.ingest.load.decided import Earlier, earlier_rows
from datasync.ingest.plan import Plan, RejectedRow
from datasync.models import QuarantinedRow

_AT_ONCE = 1_000


class Rejects:
    """The quarantine of one file at one sync.

    What an earlier sync of the file left undecided is replaced; what a person has corrected in it stays with the rows
    that are refused again with the same cells, and so does what was corrected in a released row that is refused now.
    ``count`` and ``by_reason`` are of the rows that wait for a decision.
    """

    def __init__(self, plan: Plan, *, item_id: int | None, template_id: int | None, using: str) -> None:
        self._plan = plan
        self._item_id = item_id
        self._template_id = template_id
        self._using = using
        self._earlier: Earlier | None = None
        self._carried = 0
        self.count = 0
        self.by_reason: Counter[str] = Counter()

    def decided(self) -> DecidedRows:
        """The rows of the file that people have released or discarded. To be asked before anything is prepared."""
        return self._known().decided

    def clear(self) -> None:
        """Remove what is undecided from an earlier sync of the file.

        To be called inside the transaction and under the loader's lock.
        """
        if self._known().undecided:
            rows = QuarantinedRow.objects.using(self._using)
            rows.filter(file_id=self._plan.file_id, state__in=QUARANTINE_UNDECIDED).delete()

    @property
    def dropped(self) -> int:
        """In how many undecided rows a person had corrected what is not needed now: the row is accepted, or gone."""
        return (self._earlier.corrected if self._earlier else 0) - self._carried

    def keep(self, rejected: list[RejectedRow]) -> None:
        """Store rejected rows with their reasons."""
        if not rejected:
            return
        self._store(rejected, [self._correction(row) for row in rejected])
        self.count += len(rejected)
        for row in rejected:
            self.by_reason.update({code for _, code, _ in row.reasons})

    def _store(self, rejected: list[RejectedRow], corrections: list[dict[str, Any] | None], /) -> None:
        now = timezone.now()
        QuarantinedRow.objects.using(self._using).bulk_create(
            (
                QuarantinedRow(
                    file_id=self._plan.file_id,
                    item_id=self._item_id,
                    template_id=self._template_id,
                    header_set_id=self._plan.header_set_id,
                    domain=str(self._plan.scope.domain),
                    sheet_row=row.row,
                    reasons=[{"header": header, "code": code, "value": storable(value)}
                             for header, code, value in row.reasons],
                    values=[storable(value) if value is not None else None for value in row.values],
                    context=row.context,
                    created_at=now,
                    corrected=corrected,
                    state=QuarantineState.CORRECTED if corrected is not None else QuarantineState.OPEN,
                )
                for row, corrected in zip(rejected, corrections, strict=True)
            ),
            batch_size=_AT_ONCE,
        )  # fmt: skip

    def _known(self) -> Earlier:
        if self._earlier is None:
            self._earlier = earlier_rows(self._plan, using=self._using)
        return self._earlier

    def _correction(self, row: RejectedRow) -> dict[str, Any] | None:
        """What a person wrote into the same cells before: while the row waited, else when it was released."""
        known = self._earlier.corrections if self._earlier else {}
        waiting = known.get((row.row, fingerprint(row.values))) if known else None
        if waiting is not None:
            self._carried += 1
            return waiting
        return {str(position): text for position, text in row.corrected.items()} if row.corrected else None
