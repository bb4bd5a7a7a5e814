"""The original row, kept beside the typed columns: a JSON array of its cells as text, in header order."""

from __future__ import annotations

import polars as pl

_ESCAPES = {chr(code): f"\\u{code:04x}" for code in range(1, 32)} | {
    "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": ""
}  # fmt: skip
"""NUL, which PostgreSQL's JSON cannot hold and no cell may, goes."""
_SPECIAL = list(_ESCAPES)
BETWEEN = '","'


def json_text(cells: pl.Expr) -> pl.Expr:
    """Texts as they stand between the quotes of a JSON text."""
    return cells.str.replace_many(_SPECIAL, list(_ESCAPES.values()))


def original_rows(cells: pl.DataFrame, columns: list[str]) -> pl.Series:
    """One JSON text for each row. A blank cell is an empty text."""
    special = cells.select(pl.col(columns).str.contains_any(_SPECIAL).any())
    parts = [json_text(pl.col(name)) if special[name][0] else pl.col(name) for name in columns]
    joined = pl.concat_str([part.fill_null("") for part in parts], separator=BETWEEN)
    return cells.select(pl.concat_str([pl.lit('["'), joined, pl.lit('"]')]).alias("raw")).to_series()
