"""Rows that stay out: with a reason, by a person, written down.

The file does not bring them again, as long as they stand in it unchanged. What an earlier export has stored of the same
order or product stays: nothing is taken out of the facts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models.functions import Now

from datasync import audit
from datasync.access import Sight
from datasync.choices import AuditAction, QuarantineState
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quarantine.batches import Reached, filters_document, on_chosen
from datasync.quarantine.books import settle
from datasync.quarantine.notes import checked_note
from datasync.quarantine.selectors import Filters

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(slots=True)
class Discarded:
    """How many rows were discarded, and which were not reached."""

    discarded: int = 0
    reached: Reached = field(default_factory=Reached)


def discard(
    *, filters: Filters, note: str, actor: AbstractBaseUser | None, sight: Sight, dry_run: bool = False
) -> Discarded:
    """Discard the undecided rows that match; ``note`` says why. They stay in the books as quarantined.

    Raises ``InvalidRequest`` without a note, ``RowNotFound`` when only unknown ids are named.
    """
    note = checked_note(note, required=True)
    result = Discarded()

    def act(file: CatalogFile, rows: list[QuarantinedRow]) -> Callable[[], None]:
        QuarantinedRow.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=QuarantineState.DISCARDED,
            note=note,
            decided_by_id=actor.pk if actor else None,
            decided_at=Now(),
        )
        settle(file)
        audit.record(
            AuditAction.ROWS_DISCARDED,
            actor=actor,
            file=file,
            rows=len(rows),
            note=note,
            detail={"sheet_rows": [row.sheet_row for row in rows], "filters": filters_document(filters)},
        )

        def count() -> None:
            result.discarded += len(rows)

        return count

    result.reached = on_chosen(filters, act, sight=sight, dry_run=dry_run)
    return result
