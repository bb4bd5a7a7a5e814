"""Records of a text file one by one, for the stretches that the fast reader cannot be trusted with.

Quoting is strict: a cell that begins with a quotation mark ends with one, and inside it each is doubled. A mark inside
a cell that does not begin with one is text (``5" screen``). A line that breaks the rule is handed on whole as
irregular, so that its open quotation mark never swallows the lines below it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from datasync.exceptions import TooLarge, UnclosedQuote
from datasync.ingest.read import limits


class Record(NamedTuple):
    """One row. A blank line has no cells; an irregular one has the whole line as its only cell."""

    row: int  # 1-based
    cells: list[str]
    irregular: bool = False


class Records:
    """The records of ``texts``, in which any mixture of line ends will do.

    Behind an irregular line each line is judged by itself, until one is regular and has ``width`` cells.
    ``UnclosedQuote`` when a quotation mark is still open at the end, or for longer than a record may be.
    """

    def __init__(self, texts: Iterable[str], delimiter: str, *, first_row: int, width: int | None = None) -> None:
        csv.field_size_limit(2 * limits.MAX_RECORD_CHARACTERS + 64)
        self._lines = _Lines(texts)
        self._delimiter = delimiter
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        self._row = first_row
        self._width = width
        self._mistrusts = False
        self._regular = _regular_line(delimiter)

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        self._lines.begin(self._row)
        record = self._judged_alone() if self._mistrusts else self._parsed()
        self._row += 1
        return record

    @property
    def lines_ahead(self) -> int:
        """How many lines were looked at beyond the last record."""
        return self._lines.put_back_count

    def _parsed(self) -> Record:
        try:
            return Record(self._row, next(self._reader))
        except csv.Error:
            if self._lines.ended:
                raise UnclosedQuote(row=self._row) from None
        self._mistrusts = True
        self._lines.put_back()
        return Record(self._row, [next(self._lines).rstrip("\r\n")], irregular=True)

    def _judged_alone(self) -> Record:
        line = next(self._lines).rstrip("\r\n")
        if not self._regular.fullmatch(line):
            return Record(self._row, [line], irregular=True)
        cells = next(csv.reader([line], delimiter=self._delimiter, strict=True), [])
        self._mistrusts = len(cells) != (self._width or len(cells)) or not cells
        return Record(self._row, cells)


def _regular_line(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    cell = rf'(?:"(?:[^"]|"")*+"|[^"{mark}]*+)'
    return re.compile(rf"{cell}(?:{mark}{cell})*+")


class _Lines:
    """Feeds lines to the csv module, can take back those of one record, and notices one that grows beyond bounds."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._lines = (line for text in texts for line in io.StringIO(text, newline=""))
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._row = self._length = 0
        self.ended = False

    @property
    def put_back_count(self) -> int:
        """Lines that were put back and not taken again."""
        return len(self._again)

    def begin(self, row: int) -> None:
        """A new record starts with the next line."""
        self._row, self._length = row, 0
        self._taken.clear()

    def put_back(self) -> None:
        """Give the lines of this record once more."""
        self._again.extendleft(reversed(self._taken))
        self.begin(self._row)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self._length += len(line)
        self._taken.append(line)
        if self._length >= limits.MAX_RECORD_CHARACTERS:
            if len(self._taken) > 1:
                raise UnclosedQuote(row=self._row)
            raise TooLarge(found=f"a line of {len(line):,} characters", limit=f"{limits.MAX_RECORD_CHARACTERS:,}")
        return line
