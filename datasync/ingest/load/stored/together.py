"""Lines of one order whose amounts one export has said together, though they are stored as different exports' rows."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from datasync.ingest.hashes import halves
from datasync.ingest.load.confirmed import halves_of
from datasync.ingest.load.stored.rows import StoredRows
from datasync.models import ConfirmedRows

_HALVES = ["high", "low"]


class SaidTogether:
    """Finds lines that a sync left beside the rows of a file, because one export had an amount on both.

    A line that an export repeats unchanged stays the older one's, and is kept among what the newer one has confirmed.
    So both are said by the line's export where that is the newer one and has confirmed the row, or by the file where it
    is the newer one and has confirmed the line.
    """

    def __init__(self, rows: StoredRows, *, file_id: int, using: str) -> None:
        self._rows = rows
        self._file_id = file_id
        self._using = using

    def apart(self, asked: pl.DataFrame, carriers: pl.DataFrame) -> pl.DataFrame:
        """``carriers`` without such lines; ``asked`` has ``at`` and ``record_key`` of the file's rows."""
        others = carriers.filter(~pl.col("own")).select("at", "newer", line="record_key")
        if others.is_empty():
            return carriers
        keys = others.join(asked.select("at", row="record_key"), on="at", how="left", maintain_order="left")
        whose = self._rows.occupants(others["line"].unique().to_list()).select("file_id", line="record_key")
        together = pl.concat(self._confirmed(keys.join(whose, on="line", how="left", maintain_order="left")))
        pairs = together.select("at", record_key="line")
        return carriers.join(pairs, on=["at", "record_key"], how="anti", maintain_order="left")

    def _confirmed(self, pairs: pl.DataFrame) -> Iterator[pl.DataFrame]:
        older = pairs.filter(~pl.col("newer"))
        yield older.filter(self._holds(self._file_id, older["line"]))
        for newer in pairs.filter("newer").partition_by("file_id"):
            yield newer.filter(self._holds(newer["file_id"][0], newer["row"]))

    def _holds(self, file_id: int, keys: pl.Series) -> pl.Series:
        """Which of the keys the file has confirmed."""
        blocks = ConfirmedRows.objects.using(self._using).filter(file_id=file_id).values_list("keys", flat=True)
        held = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(keys))
        for block in blocks if len(keys) else ():
            asked = halves(keys).with_row_index("at")
            held = held.scatter(asked.join(halves_of(block), on=_HALVES, how="semi")["at"], True)
        return held
