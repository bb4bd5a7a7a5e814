"""See in sample rows where an order's totals stand: on each of its lines, or on the first of them only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from datasync.fields import FIELDS, Domain

Rows = Sequence[Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class TotalsSeen:
    """``on_every_line`` None: no order of the sample has several lines that say it.

    ``own`` are order-level fields that differ between the lines of one order: what they hold is the line's own.
    """

    on_every_line: bool | None
    own: frozenset[str] = frozenset()


def totals_seen(positions: Mapping[str, int], rows: Rows) -> TotalsSeen:
    """Judge the orders of several lines; ``positions`` are those of the standard fields in the rows.

    A line without an order id belongs to the order above it. Zeros say nothing: they are equal wherever they stand.
    """
    fields = FIELDS[Domain.ORDERS]
    amounts = {name: at for name, at in positions.items() if name in fields and fields[name].order_level}
    if "order_id" not in positions or not amounts:
        return TotalsSeen(None)
    every = first = 0
    own: set[str] = set()
    for lines in _orders(rows, positions["order_id"]):
        shown = {name: [_cell(line, at) for line in lines] for name, at in amounts.items()}
        own |= {name for name, cells in shown.items() if len({cell for cell in cells if cell}) > 1}
        telling = [cells for name, cells in shown.items() if name not in own and _says_something(cells)]
        every += any(all(cells) for cells in telling)
        first += any(cells[0] and not any(cells[1:]) for cells in telling)
    return TotalsSeen(every > first if every or first else None, frozenset(own))


def _orders(rows: Rows, position: int) -> Iterator[list[Sequence[str | None]]]:
    """The lines of each order that has several."""
    named: list[tuple[str, Sequence[str | None]]] = []
    above = ""
    for row in rows:
        if any(row):
            above = _cell(row, position) or above
            named.append((above, row))
    named.sort(key=lambda pair: pair[0])
    for order, pairs in groupby(named, key=lambda pair: pair[0]):
        lines = [row for _, row in pairs]
        if order and len(lines) > 1:
            yield lines


def _says_something(cells: Sequence[str]) -> bool:
    return any(char in "123456789" for cell in cells for char in cell)


def _cell(row: Sequence[str | None], position: int) -> str:
    return (row[position] or "").strip() if position < len(row) else ""
