"""Records of a text file one by one, for the stretches that the fast reader cannot be trusted with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from datasync.exceptions import TooLarge, UnclosedQuote
from datasync.ingest.read import limits

END = "\ufdd1"  # a noncharacter fed as a last line of its own: inside an open quote it is swallowed


def records(texts: Iterable[str], delimiter: str, *, first_row: int) -> Iterator[tuple[int, list[str]]]:
    """(row, cells) of each record; a blank line is a record without cells. Any mixture of line ends will do.

    ``UnclosedQuote`` when a quotation mark is still open at the end, or for longer than a record may be.
    """
    csv.field_size_limit(2 * limits.MAX_RECORD_CHARACTERS + 64)
    guard = _Lines(texts)
    reader = csv.reader(guard, delimiter=delimiter)
    row = first_row
    while True:
        guard.begin(row)
        record = next(reader, None)
        if record is None or record == [END]:
            return
        if record and record[-1].endswith(END):
            raise UnclosedQuote(row=row)
        yield row, record
        row += 1


class _Lines:
    """Feeds lines to the csv module and notices a record that grows beyond every bound."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._lines = (line for text in texts for line in io.StringIO(text, newline=""))
        self._row = self._length = self._count = 0
        self._ended = False

    def begin(self, row: int) -> None:
        """A new record starts with the next line."""
        self._row, self._length, self._count = row, 0, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._ended:
            raise StopIteration
        line = next(self._lines, None)
        if line is None:
            self._ended = True
            return END
        self._length += len(line)
        self._count += 1
        if self._length >= limits.MAX_RECORD_CHARACTERS:
            if self._count > 1:
                raise UnclosedQuote(row=self._row)
            raise TooLarge(found=f"a line of {len(line):,} characters", limit=f"{limits.MAX_RECORD_CHARACTERS:,}")
        return line
