"""Tasks that have nothing left to do, but whose last worker vanished before it closed them."""

from __future__ import annotations

from collections import Counter

from django.db.models import F

from datasync.runs.close import close_if_done, to_be_closed
from datasync.runs.sweep.apart import apart

_AT_ONCE = 100


def close_finished(swept: Counter[str], *, dry_run: bool = False) -> None:
    """Close them, and count them as ``closed``. Those that could not be closed before come last."""
    found = to_be_closed().order_by(F("closing_at").asc(nulls_first=True), "pk")[:_AT_ONCE]
    if dry_run:
        swept["closed"] += len(found)
        return
    for task in found:
        with apart(f"task {task.task_id}", swept):
            swept["closed"] += close_if_done(task)
