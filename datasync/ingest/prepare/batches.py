"""The reader's batches cut anew, so that the lines of an order lie in one, and which of them ends the sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from datasync.ingest.plan import Batch

_LONGEST = 10_000
"""Lines of one order that are waited for."""


def whole_orders(batches: Iterable[Batch], order: str | None) -> Iterator[tuple[Batch, bool]]:
    """Each batch, and whether it is the sheet's last. ``order`` is the column of the order's id, None: no orders.

    The lines of the order that a batch ends with are put before the next batch, unless it is so long that waiting for
    its end could mean to keep the whole file in memory.
    """
    held: Batch | None = None
    for batch in batches:
        cut = last_order(held.frame[order]) if held is not None and order is not None else 0
        if held is None:
            held = batch
        elif order is None or len(held.frame) - cut > _LONGEST:
            yield held, False
            held = batch
        else:
            if cut:
                yield _part(held, 0, cut), False
            held = _joined(_part(held, cut, len(held.frame)), batch)
    if held is not None:
        yield held, True


def last_order(ids: pl.Series) -> int:
    """The position at which the last order begins: its id may be repeated on each line, or blank below the first."""
    filled = ids.fill_null(strategy="forward")
    before = (filled != filled[-1]).fill_null(value=True).arg_true() if filled[-1] is not None else []
    return int(before[-1]) + 1 if len(before) else 0


def _part(batch: Batch, start: int, end: int) -> Batch:
    frame = batch.frame[start:end]
    numbers = {name: mask[start:end] for name, mask in batch.numbers.items()}
    first, last = frame["row"][0], frame["row"][-1]
    return Batch(frame, tuple(problem for problem in batch.problems if first <= problem.row <= last), numbers)


def _joined(held: Batch, batch: Batch) -> Batch:
    parts = (held, batch)
    numbers = {
        name: pl.concat(part.numbers.get(name, pl.repeat(False, len(part.frame), eager=True)) for part in parts)
        for name in {**held.numbers, **batch.numbers}
    }
    return Batch(pl.concat([held.frame, batch.frame]), held.problems + batch.problems, numbers)
