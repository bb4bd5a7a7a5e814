"""Stored lines that amounts of orders were placed on when they were loaded."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from datasync.ingest.prepare import Preparer
from datasync.ingest.prepare.prepared import Lines


class PlacedLines(Preparer):
    """Takes each line for the first of its order of which the context does not say that it is a later one.

    Counted anew, the first of a file's present content would be a later line below one that an earlier content left.
    """

    def _kept(self, rows: pl.DataFrame) -> Lines:
        lines = super()._kept(rows)
        later = lines.said.later
        first = ~later if later is not None else pl.repeat(True, len(rows), eager=True)
        return replace(lines, said=replace(lines.said, carriers=first))
