"""The floor: what nobody who puts an export into PostgreSQL can do without, in the fastest way known.

Reading it, all cells as text, then one bare COPY into an unlogged table without an index; one after the other. The
cells of the benchmarks' files need no escaping, so nothing is spent on that either.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl
import psycopg

_TITLE_ROWS = 1


@dataclass(frozen=True, slots=True)
class Floor:
    """Seconds of the two parts."""

    read: float
    copy: float

    @property
    def total(self) -> float:
        """Seconds of both."""
        return self.read + self.copy


def read(path: Path) -> pl.DataFrame:
    """All cells as text, by the fastest reader of the format."""
    if path.suffix == ".csv":
        return pl.read_csv(path, skip_rows=_TITLE_ROWS, infer_schema=False)
    sheet = fastexcel.read_excel(path).load_sheet(0, header_row=_TITLE_ROWS, dtypes="string")
    frame: pl.DataFrame = sheet.to_polars()
    return frame


def measure(path: Path, *, database: str) -> Floor:
    """One turn."""
    begun = time.perf_counter()
    frame = read(path)
    was_read = time.perf_counter()
    with psycopg.connect(database) as connection:
        columns = ", ".join(f"c{number} text" for number in range(frame.width))
        connection.execute("DROP TABLE IF EXISTS floor")
        connection.execute(f"CREATE UNLOGGED TABLE floor ({columns})")
        connection.commit()
        begun_copy = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy("COPY floor FROM STDIN") as copy:
            copy.write(frame.write_csv(include_header=False, separator="\t", quote_style="never", null_value="\\N"))
        connection.commit()
        ended = time.perf_counter()
    return Floor(read=was_read - begun, copy=ended - begun_copy)
