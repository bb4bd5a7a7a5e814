"""The rows of a batch as they cross from the child. Apart from the client, which must not load Polars before a fork."""

from __future__ import annotations

import polars as pl


def read_rows(payload: bytes) -> pl.DataFrame:
    """A frame from its Arrow IPC stream; ``ValueError`` when it is none."""
    try:
        return pl.read_ipc_stream(payload)
    except pl.exceptions.PolarsError as error:
        raise ValueError("no Arrow stream") from error
