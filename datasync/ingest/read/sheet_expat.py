"""Cells of sheet XML in any serialisation: other prefixes, quotes, comments, cells without references."""

from __future__ import annotations

import re
from xml.parsers import expat

import polars as pl

from datasync.exceptions import CorruptFile
from datasync.ingest.read.cell_kinds import CellKind, cell_kind
from datasync.ingest.read.sheet_tokens import Tokens, column_position
from datasync.ingest.read.xml_parts import local_name, new_parser

REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?[0-9]+")


class SheetParser:
    """Fed with bytes; ``take`` gives the complete rows. A missing row or cell number is one more than the last."""

    def __init__(self, number_kinds: tuple[CellKind, ...]) -> None:
        self._number_kinds = number_kinds
        self._numbers: list[int] = []
        self._cells: list[tuple[int, int, int, str]] = []
        self._row = 0
        self._column = -1
        self._kind = CellKind.NUMBER
        self._formula = False
        self._path: list[str] = []
        self._value: list[str] = []
        self._parser = new_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def feed(self, data: bytes, *, final: bool = False) -> None:
        """Parse some more of the part."""
        try:
            self._parser.Parse(data, final)
        except expat.ExpatError as error:
            raise CorruptFile(found=f"its sheet is no valid XML ({error})") from error

    @property
    def complete_rows(self) -> int:
        """How many rows ``take`` would give."""
        return len(self._numbers) - ("row" in self._path)

    def take(self) -> Tokens:
        """The complete rows so far; an unfinished one stays for the next time."""
        count = self.complete_rows
        ready = [cell for cell in self._cells if cell[0] < count]
        tokens = Tokens(
            pl.Series(self._numbers[:count], dtype=pl.UInt32),
            pl.DataFrame(
                ready,
                schema={"i": pl.UInt32, "col": pl.UInt32, "kind": pl.Int8, "value": pl.String},
                orient="row",
            ),
        )
        self._cells = [(i - count, column, kind, value) for i, column, kind, value in self._cells if i >= count]
        del self._numbers[:count]
        return tokens

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = local_name(name)
        self._path.append(name)
        if name == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdecimal() and len(number) < 8 else self._row + 1
            self._column = -1
            self._numbers.append(self._row)
        elif name == "c":
            self._begin_cell(attributes)
        elif name == "f":
            self._formula = True

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        reference = REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = column_position(reference[1]) if reference else self._column + 1
        style = attributes.get("s", "0")
        number = int(style) if style.isdecimal() and len(style) < 10 else 0
        self._kind = cell_kind(attributes.get("t", "n"), number, self._number_kinds)
        self._formula = False
        self._value.clear()

    def _characters(self, data: str) -> None:
        if self._path[-1] in ("v", "t") and "c" in self._path and "rPh" not in self._path:
            self._value.append(data)

    def _end(self, _: str) -> None:
        if self._path.pop() != "c" or not self._numbers:
            return
        value, kind = "".join(self._value), self._kind
        if value:
            self._cells.append((len(self._numbers) - 1, self._column, kind, value))
        elif self._formula and kind != CellKind.TEXT:
            self._cells.append((len(self._numbers) - 1, self._column, CellKind.FORMULA, ""))
