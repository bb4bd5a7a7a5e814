"""What earlier syncs of a file have left in quarantine, and what people have decided and corrected there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q, QuerySet

from datasync.choices import QUARANTINE_DECIDED, QUARANTINE_UNDECIDED, QuarantineState
from datasync.ingest.decided import DecidedRows, Decision, fingerprint
from datasync.ingest.plan import Plan
from datasync.models import QuarantinedRow

_AT_ONCE = 2_000


@dataclass(slots=True)
class Earlier:
    """``decided`` rows are held out of the next sync; ``corrections`` are cells that a person wrote, by row and cells.

    ``undecided`` says whether there is any row that the next sync replaces.
    """

    decided: DecidedRows = field(default_factory=DecidedRows)
    corrections: dict[tuple[int, bytes], dict[str, Any]] = field(default_factory=dict)
    undecided: bool = False


def earlier_rows(plan: Plan, *, using: str = "default") -> Earlier:
    """What is in quarantine of the plan's file, in one statement where that is little.

    A file that is queued or processing takes no decisions and has one worker, so what is read before a sync's
    transaction holds in it.
    """
    earlier = Earlier()

    def decisions() -> Iterator[Decision]:
        for row in _pages(_worth_reading(plan, using)):
            if row.state in QUARANTINE_DECIDED:
                yield Decision(
                    row=row.sheet_row,
                    values=row.values,
                    released=row.state == QuarantineState.RELEASED,
                    key=row.record_key.hex if row.record_key and row.of_this_content else None,
                )
                continue
            earlier.undecided = True
            if row.corrected is not None and row.header_set_id == plan.header_set_id:
                earlier.corrections[row.sheet_row, fingerprint(row.values)] = row.corrected

    earlier.decided = DecidedRows(decisions())
    return earlier


def _worth_reading(plan: Plan, using: str) -> QuerySet[Any]:
    """Rows that were decided on or corrected, and one of the others."""
    of_file = QuarantinedRow.objects.using(using).filter(file_id=plan.file_id)
    undecided = of_file.filter(state__in=QUARANTINE_UNDECIDED)
    wanted = Q(state__in=QUARANTINE_DECIDED) | Q(corrected__isnull=False) | Q(pk__in=undecided.values("pk")[:1])
    columns = ("sheet_row", "values", "state", "corrected", "header_set", "record_key")
    same = Q(item__file_sha256=F("file__content_sha256"))
    return of_file.filter(wanted).annotate(of_this_content=same).only(*columns).order_by("pk")


def _pages(rows: QuerySet[Any]) -> Iterator[Any]:
    page = list(rows[:_AT_ONCE])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1].pk)[:_AT_ONCE]) if len(page) == _AT_ONCE else []
