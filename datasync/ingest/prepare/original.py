"""The original row, kept beside the typed columns: a JSON array of its cells as text, in header order."""

from __future__ import annotations

import polars as pl

_ESCAPED = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
_SPECIAL = ['"', "\\", *map(chr, range(32))]
_CONTROL = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]"


def original_rows(cells: pl.DataFrame, columns: list[str]) -> pl.Series:
    """One JSON text for each row. A blank cell is an empty text; control characters, which no cell may hold, go."""
    special = cells.select(pl.col(columns).str.contains_any(_SPECIAL).any())
    parts: list[pl.Expr] = []
    for name in columns:
        part = pl.col(name)
        if special[name][0]:
            part = part.str.replace_all(_CONTROL, "")
            for character, escaped in _ESCAPED:
                part = part.str.replace_all(character, escaped, literal=True)
        parts.append(part.fill_null(""))
    joined = pl.concat_str(parts, separator='","')
    return cells.select(pl.concat_str([pl.lit('["'), joined, pl.lit('"]')]).alias("raw")).to_series()
