"""The cells of a row that is stored, from the text that keeps them."""

from __future__ import annotations

import polars as pl

from datasync.ingest.prepare.original import BETWEEN


def stored_cells(raws: pl.Series, *, width: int) -> pl.DataFrame:
    """The cells ``c0 … c{width - 1}`` that ``original_rows`` wrote; an empty text is a blank cell again.

    Rows without an escape are cut at the marks between cells, which is three times as fast as reading JSON.
    """
    names = [f"c{position}" for position in range(width)]
    cells = raws.str.strip_prefix('["').str.strip_suffix('"]')
    frame = cells.str.split_exact(BETWEEN, width - 1).struct.rename_fields(names).struct.unnest()
    escaped = raws.str.contains("\\", literal=True)
    if escaped.any():
        lists = raws.filter(escaped).str.json_decode(pl.List(pl.String))
        read = lists.list.to_struct(fields=names).struct.unnest()
        at = escaped.arg_true()
        frame = frame.with_columns(frame[name].scatter(at, read[name]) for name in names)
    everything = pl.all()
    return frame.select(pl.when(everything != "").then(everything))
