"""What earlier syncs of a file have left in quarantine, and what people have decided and corrected there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from datasync.choices import QUARANTINE_DECIDED, QUARANTINE_UNDECIDED, QuarantineState
from datasync.ingest.decided import DecidedRows, Decision, fingerprint
from datasync.ingest.plan import Plan
from datasync.models import QuarantinedRow

_AT_ONCE = 2_000


@dataclass(slots=True)
class Earlier:
    """``decided`` rows are not judged anew; ``corrections`` are what a person wrote into undecided ones.

    ``undecided`` says whether there is any row that the next sync replaces, ``corrected`` in how many of them a person
    has corrected something.
    """

    decided: DecidedRows = field(default_factory=DecidedRows)
    corrections: dict[tuple[int, bytes], dict[str, Any]] = field(default_factory=dict)
    undecided: bool = False
    corrected: int = 0


def earlier_rows(plan: Plan, *, using: str = "default") -> Earlier:
    """What is in quarantine of the plan's file, in one statement where that is little.

    A file that is queued or processing takes no decisions and has one worker, so what is read before a sync's
    transaction holds in it.
    """
    earlier = Earlier()

    def decisions() -> Iterator[Decision]:
        for row in _pages(_worth_reading(plan, using)):
            same_header = row.header_set_id == plan.header_set_id
            if row.state == QuarantineState.DISCARDED:
                yield Decision(row=row.sheet_row, values=row.values, released=False)
            elif row.state == QuarantineState.RELEASED:
                if same_header:  # corrections and context speak of columns by their place in it
                    yield Decision(row.sheet_row, row.values, True, row.corrected, row.context)
            else:
                earlier.undecided = True
                if row.corrected is not None:
                    earlier.corrected += 1
                    if same_header:
                        earlier.corrections[row.sheet_row, fingerprint(row.values)] = row.corrected

    earlier.decided = DecidedRows(decisions())
    return earlier


def _worth_reading(plan: Plan, using: str) -> QuerySet[Any]:
    """Rows that were decided on or corrected, and one of the others."""
    of_file = QuarantinedRow.objects.using(using).filter(file_id=plan.file_id)
    undecided = of_file.filter(state__in=QUARANTINE_UNDECIDED)
    wanted = Q(state__in=QUARANTINE_DECIDED) | Q(corrected__isnull=False) | Q(pk__in=undecided.values("pk")[:1])
    columns = ("sheet_row", "values", "state", "corrected", "header_set", "context")
    return of_file.filter(wanted).only(*columns).order_by("pk")


def _pages(rows: QuerySet[Any]) -> Iterator[Any]:
    page = list(rows[:_AT_ONCE])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1].pk)[:_AT_ONCE]) if len(page) == _AT_ONCE else []
