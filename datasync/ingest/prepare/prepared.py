"""A batch on its way: its cells cleaned, and its rows ready to be loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from datasync.ingest.plan import CellProblem, RejectedRow
from datasync.ingest.prepare.context import Said


@dataclass(slots=True)
class Prepared:
    """A batch ready to be loaded.

    ``rows`` has ``record_key`` and ``content_hash`` (32 hexadecimal digits), ``shop_id``, ``currency``,
    ``period_start``, ``period_end``, ``sheet_row``, ``first_sheet_row``, ``raw``, ``context`` and one column for each
    bound field; dates, times (UTC) and amounts are text. ``discarded`` counts the rows that were left out because a
    person has discarded them. ``read`` = rows + rejected + totals + discarded. ``last`` says that it ends the sheet.
    """

    rows: pl.DataFrame
    rejected: list[RejectedRow]
    read: int
    totals: int
    last: bool = False
    discarded: int = 0


@dataclass(slots=True)
class Cleaned:
    """A batch's cells: ``original`` as they are kept, ``values`` as they are typed, both by ``c0 … cN``.

    ``numbers`` marks the cells that a workbook held as numbers, by column.
    """

    original: pl.DataFrame
    values: pl.DataFrame
    numbers: Mapping[str, pl.Series]

    def without(self, aside: pl.Series) -> Cleaned:
        """The same but for some rows."""
        kept = ~aside
        numbers = {name: mask.filter(kept) for name, mask in self.numbers.items()}
        return Cleaned(self.original.filter(kept), self.values.filter(kept), numbers)


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows on their way to be typed: their cells as they are kept, and their fields as text, with what was filled in.

    ``said`` is what they have from around them, ``problems`` what the reader saw of them.
    """

    original: pl.DataFrame
    fields: pl.DataFrame
    said: Said
    problems: tuple[CellProblem, ...] = ()
