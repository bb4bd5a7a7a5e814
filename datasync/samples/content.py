"""A sheet in memory, together with what is true about its rows."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from datasync.reasons import Reason
from datasync.samples.truth import BadCell

Cell = str | int | float | None
Row = list[Cell]
Identity = tuple[str, ...]


class ErrorCell(str):
    """A spreadsheet error such as ``#REF!``: an error cell in a workbook, plain text in a text file."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Merge:
    """Cells of one column merged over consecutive data rows (indices into ``SheetContent.rows``)."""

    first: int
    last: int
    column: int


@dataclass(slots=True)
class SheetContent:
    """Rows above the header, the header, prose below it, the data rows, and their books.

    A data row that is an empty list is a blank line: it takes a row number and counts nowhere.
    """

    header: Row
    above: list[Row] = field(default_factory=list)
    below_header: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    identities: set[Identity] = field(default_factory=set)
    bad_cells: list[BadCell] = field(default_factory=list)
    sums: dict[str, int] = field(default_factory=dict)
    totals: int = 0
    duplicates: int = 0
    sheet: str = "Sheet1"

    @property
    def header_row(self) -> int:
        """0-based row of the header."""
        return len(self.above)

    @property
    def rows_read(self) -> int:
        """Data rows that are not blank."""
        return sum(1 for row in self.rows if row)

    @property
    def quarantined(self) -> int:
        """Data rows with at least one bad cell."""
        return len({cell.row for cell in self.bad_cells})

    def all_rows(self) -> Iterable[Row]:
        """Every row of the sheet from its first."""
        yield from self.above
        yield self.header
        yield from self.below_header
        yield from self.rows

    @property
    def first_data_row(self) -> int:
        """0-based row of the first data row."""
        return len(self.above) + 1 + len(self.below_header)

    def add_good(self, row: Row, identity: Identity) -> None:
        """Append a row that must arrive; a key seen before makes the earlier row a duplicate (last wins)."""
        if identity in self.identities:
            self.duplicates += 1
        self.identities.add(identity)
        self.rows.append(row)

    def add_total(self, row: Row) -> None:
        """Append a totals row, which must be recognised and left out."""
        self.totals += 1
        self.rows.append(row)

    def add_bad(self, row: Row, header: str, *reasons: Reason) -> None:
        """Append a row that must be quarantined because of its cell under ``header`` ("" for the whole row)."""
        self.rows.append(row)
        value = "" if not header else row[self.header.index(header)]
        number = self.first_data_row + len(self.rows)
        self.bad_cells.append(BadCell(number, header, reasons, "" if value is None else str(value)))

    def add_sum(self, header: str, amount: float) -> None:
        """Add to the known sum of a money column."""
        self.sums[header] = self.sums.get(header, 0) + round(amount * 100)


def generator(seed: int, name: str) -> random.Random:
    """A source of random numbers that depends on nothing but its arguments, on any machine."""
    return random.Random(f"{seed}:{name}")  # noqa: S311 - sample data, no secrets
