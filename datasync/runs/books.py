"""The books of a task: what its files came to, and what they have to tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum, Value

from datasync.choices import ITEM_SUCCEEDED, ItemState
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.models import SyncProgressTask, SyncTaskFile

MOST_LISTED = 100
"""How many errors and warnings a task repeats of its items; the items keep all."""
_SAID = ("state", "file_id", "file__original_name", "error", "warnings")
_TIMES = {"started": F("task__started_at"), "closing": F("task__closing_at")}
_Row = Mapping[str, Any]


@dataclass(slots=True)
class Books:
    """``files`` counts them by how they ended; ``errors`` are those of failed ones.

    ``warnings`` begin with why files were skipped. ``seconds`` is from the start of the task to its close; 0: it never
    started.
    """

    files: Counter[str] = field(default_factory=Counter)
    rows: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    errors: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)


def books_of(task: SyncProgressTask) -> Books:
    """The books of a task none of whose files is waiting or in hand.

    The items of a task that may list all of them are read in one statement; those of a larger one are summed up by the
    database, and only what is listed is read.
    """
    items = SyncTaskFile.objects.filter(task=task)
    if task.total_files <= MOST_LISTED:
        parts = told = _each(items)
    else:
        parts, told = _summed(items), _telling(items)
    books = Books()
    for part in parts:
        books.files[part["state"]] += part["files"]
        books.rows.add(Counts(**{name: part[f"sum_{name}"] for name in COUNT_NAMES}))
        if part["started"] and part["closing"]:
            books.seconds = (part["closing"] - part["started"]).total_seconds()
    skipped = [_error(row) for row in told if row["state"] == ItemState.SKIPPED]
    books.errors = [_error(row) for row in told if row["state"] == ItemState.FAILED][:MOST_LISTED]
    books.warnings = [*skipped, *_warnings(told)][:MOST_LISTED]
    return books


def _each(items: QuerySet[SyncTaskFile]) -> list[_Row]:
    rows = {f"sum_{name}": F(f"rows_{name}") for name in COUNT_NAMES}
    return list(items.order_by("position").values(*_SAID, **_TIMES, **rows, files=Value(1)))


def _summed(items: QuerySet[SyncTaskFile]) -> list[_Row]:
    """A part for all items that ended alike."""
    rows = {f"sum_{name}": Sum(f"rows_{name}") for name in COUNT_NAMES}
    return list(items.order_by("state").values("state", **_TIMES).annotate(**rows, files=Count("pk")))


def _telling(items: QuerySet[SyncTaskFile]) -> list[_Row]:
    """The items with something to tell, no more of a kind than may be listed."""
    warned = Q(state__in=ITEM_SUCCEEDED) & ~Q(warnings=[])
    kinds = (Q(state=ItemState.FAILED), Q(state=ItemState.SKIPPED), warned)
    return [row for kind in kinds for row in items.filter(kind).order_by("position").values(*_SAID)[:MOST_LISTED]]


def _error(row: _Row) -> dict[str, Any]:
    return {"file_id": row["file_id"], "file": row["file__original_name"], **row["error"]}


def _warnings(told: Iterable[_Row]) -> Iterator[dict[str, Any]]:
    """What files that were synced have to tell."""
    for row in told:
        for warning in row["warnings"] if row["state"] in ITEM_SUCCEEDED else ():
            yield {"file_id": row["file_id"], "file": row["file__original_name"], **warning}
