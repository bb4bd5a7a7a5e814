"""pandas with its default reader of workbooks."""

from __future__ import annotations

from pathlib import Path

from bench.peers import pandas_merge


def load(path: Path, database: str) -> float:
    """Seconds from the file to the merged table."""
    return pandas_merge.load(path, database, engine="openpyxl")
