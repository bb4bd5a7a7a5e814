"""The rows of a batch as they cross from the child. Apart from the client, which must not load Polars before a fork."""

from __future__ import annotations

import polars as pl


def read_rows(payload: bytes) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """The cells of a batch from its Arrow IPC stream, and where they are numbers; ``ValueError`` when it is none."""
    try:
        frame = pl.read_ipc_stream(payload)
    except pl.exceptions.PolarsError as error:
        raise ValueError("no Arrow stream") from error
    columns = frame.get_columns()
    numbers = {f"c{column.name[1:]}": column for column in columns if column.name.startswith("n")}
    # Put together by hand, for a query would need the thread pool, which a fork does not have
    return pl.DataFrame([column for column in columns if not column.name.startswith("n")]), numbers
