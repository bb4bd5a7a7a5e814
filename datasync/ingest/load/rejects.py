"""Rows that cannot be trusted, kept whole until somebody decides."""

from __future__ import annotations

from collections import Counter

from django.utils import timezone

from datasync.choices import QUARANTINE_UNDECIDED
from datasync.ingest.plan import Plan, RejectedRow
from datasync.models import QuarantinedRow

_AT_ONCE = 1_000


class Rejects:
    """The quarantine of one file at one sync. What an earlier sync of the file left undecided is replaced."""

    def __init__(self, plan: Plan, *, item_id: int | None, template_id: int | None, using: str) -> None:
        self._plan = plan
        self._item_id = item_id
        self._template_id = template_id
        self._using = using
        self.count = 0
        self.by_reason: Counter[str] = Counter()

    def clear(self) -> None:
        """Remove what is undecided from an earlier sync of the file."""
        rows = QuarantinedRow.objects.using(self._using)
        rows.filter(file_id=self._plan.file_id, state__in=QUARANTINE_UNDECIDED).delete()

    def keep(self, rejected: list[RejectedRow]) -> None:
        """Store rejected rows with their reasons."""
        if not rejected:
            return
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
                    reasons=[{"header": header, "code": code, "value": _storable(value)}
                             for header, code, value in row.reasons],
                    values=[_storable(value) if value is not None else None for value in row.values],
                    created_at=now,
                )
                for row in rejected
            ),
            batch_size=_AT_ONCE,
        )  # fmt: skip
        self.count += len(rejected)
        for row in rejected:
            self.by_reason.update({code for _, code, _ in row.reasons})


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL in JSON; the replacement character shows where it was."""
    return text.replace("\x00", "\ufffd")
