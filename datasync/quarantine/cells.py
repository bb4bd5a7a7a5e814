"""The rows of an exported sheet that has come back: which quarantined row each is, and what differs from it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from datasync.ingest.plan import Batch
from datasync.models import QuarantinedRow
from datasync.quarantine.export import CELL_CHARACTERS, fitting
from datasync.quarantine.values import Cells, clean
from datasync.spreadsheets import escape, unescape

_ID = re.compile(r"[1-9][0-9]{0,18}")
_BIGGEST = 2**63 - 1
_CUT_KEEPS = CELL_CHARACTERS - 500
"""Characters of a cut cell that are surely the cell's own: the note behind them is shorter."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of the sheet; ``cells`` are its texts as read, ``numbers`` the columns in which a number stood.

    ``problems`` are columns whose text the reader does not vouch for; None among them: the whole row.
    """

    number: int
    id: int | None
    file: str
    row: str
    cells: Cells
    numbers: frozenset[int]
    problems: frozenset[int | None]

    def is_of(self, stored: QuarantinedRow) -> bool:
        """Whether file and row number beside the id are those of the stored row, where the sheet has them."""
        named = not self.file or self.file == plain(unescape(fitting(escape(stored.file.original_name))))
        return named and self.row in {"", str(stored.sheet_row)}

    def differences(
        self, stored: Cells, places: Mapping[int, int], *, headers: Sequence[str], decimal_comma: bool
    ) -> dict[int, str | None] | None:
        """What the sheet says otherwise than ``stored``, by position. ``places``: position → column of the sheet.

        None when the reader cannot vouch for a cell that differs. Raises ``InvalidRequest`` for what no cell may hold.
        """
        given: dict[int, str | None] = {}
        for position, column in places.items():
            text, before = self.cells[column] or "", stored[position] or ""
            doubtful = column in self.problems or None in self.problems
            if _is_cut(text, before) or (plain(unescape(text)) == plain(before) and not (doubtful and not text)):
                continue  # a blank that is doubtful is a formula whose value nobody knows
            if doubtful:
                return None
            if decimal_comma and column in self.numbers:
                text = text.replace(".", ",")  # a number cell has a point, whatever the template says of texts
            given[position] = clean(unescape(text), name=headers[position])
        return given


class Columns:
    """The header of a sheet: where the notes stand, and which column is which of a stored header."""

    def __init__(self, header: Sequence[str], notes: Sequence[str]) -> None:
        names = [plain(unescape(text)) for text in header]
        self._width = len(names)
        self._notes = {note: names.index(note) for note in notes if note in names}
        self._id, self._file, self._row = (self._notes.get(note) for note in notes[:3])
        self._named: dict[str, list[int]] = defaultdict(list)
        for column, name in enumerate(names):
            if column not in self._notes.values():
                self._named[name].append(column)
        self._places: dict[int, tuple[dict[int, int], list[str]]] = {}

    def places(self, header_set_id: int, headers: Sequence[str]) -> tuple[dict[int, int], list[str]]:
        """Position in the stored header → column here; and the columns here that are none of the stored header's.

        Equal headers go by their order. Where some of them are gone it is not known which is which: none is taken.
        """
        known = self._places.get(header_set_id)
        if known is None:
            wanted: dict[str, list[int]] = defaultdict(list)
            for position, header in enumerate(headers):
                wanted[plain(header)].append(position)
            found: dict[int, int] = {}
            for name, columns in self._named.items():
                if len(columns) == len(wanted[name]):
                    found |= zip(wanted[name], columns, strict=True)
            unknown = [
                name for name, columns in self._named.items() if name and len(columns) != len(wanted.get(name, ()))
            ]
            known = self._places[header_set_id] = (found, unknown)
        return known

    def rows(self, batch: Batch) -> Iterator[SheetRow]:
        """The rows of a batch."""
        marks = {int(name[1:]): mask.to_list() for name, mask in batch.numbers.items()}
        problems: dict[int, set[int | None]] = defaultdict(set)
        for problem in batch.problems:
            problems[problem.row].add(problem.column)
        names = [f"c{column}" for column in range(self._width)]
        for at, (number, *cells) in enumerate(batch.frame.select("row", *names).iter_rows()):
            yield SheetRow(
                number=number,
                id=_number(self._text(cells, self._id)),
                file=plain(unescape(self._text(cells, self._file))),
                row=self._text(cells, self._row),
                cells=cells,
                numbers=frozenset(column for column, mask in marks.items() if mask[at]),
                problems=frozenset(problems.get(number, ())),
            )

    @staticmethod
    def _text(cells: Cells, column: int | None) -> str:
        return (cells[column] or "").strip() if column is not None else ""


def plain(text: str) -> str:
    """A text as it survives a spreadsheet: one kind of line end, nothing around it, no unpaired surrogates."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\r\n", "\n").replace("\r", "\n").strip()


def _number(text: str) -> int | None:
    return int(text) if _ID.fullmatch(text) and int(text) <= _BIGGEST else None


def _is_cut(text: str, before: str) -> bool:
    """Whether the text is what a workbook could hold of a longer one."""
    return (
        len(escape(before)) > CELL_CHARACTERS
        and text[:_CUT_KEEPS] == escape(before)[:_CUT_KEEPS]
        and (len(text) == CELL_CHARACTERS)
    )
