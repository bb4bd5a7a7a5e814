"""The profile of a file's columns: type, empty share, distinct values, range and examples, over its first rows.

As many rows as one answer of the reader holds, less the rows that may stand above the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from datasync.ingest.words import NULL_WORDS

PROFILED_ROWS = 960
_EXAMPLES = 5
_TEXT_LENGTH = 80

_INTEGER = r"^[+-]?(?:0|[1-9][0-9]{0,14}|[1-9][0-9]{0,2}(?:,[0-9]{3})+)$"
_NUMBER = r"^\(?[+-]?[^0-9,.()%\-A-Za-z]{0,3}\s*(?:0|[1-9][0-9]{0,14}|[1-9][0-9]{0,2}(?:,[0-9]{3})+)?(?:\.[0-9]+)?\)?$"
_PERCENT = r"^[+-]?[0-9.,]+\s*[%％]$"
_DATE = r"^(?:[0-9]{4}([-/.\\])[0-9]{1,2}[-/.\\][0-9]{1,2}|[0-9]{1,2}[-/.\\][0-9]{1,2}[-/.\\](?:[0-9]{4}|[0-9]{2}))"
_ISO_DATE = r"^[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}"
_TYPES = ("integer", "decimal", "percent", "datetime", "date")


def profile(header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> list[dict[str, Any]]:
    """One entry for each column of ``header``, in its order; ``empty`` is in percent of ``rows``.

    Types are described, not decided: a sync types every cell by the file's template. All columns are judged at once
    in a long frame, so that a hundred columns cost about what one does.
    """
    width = len(header)
    filled = _aggregate(width, rows) if rows and width else {}
    return [_entry(text, len(rows), filled.get(position)) for position, text in enumerate(header)]


def _aggregate(width: int, rows: Sequence[Sequence[str | None]]) -> dict[int, dict[str, Any]]:
    import polars as pl  # noqa: PLC0415 - only who examines files pays for it

    padded = (row if len(row) == width else (*row[:width], *[None] * (width - len(row))) for row in rows)
    long = pl.DataFrame(
        {"value": pl.Series(chain.from_iterable(padded), dtype=pl.String)},
    ).with_columns((pl.int_range(pl.len(), dtype=pl.UInt32) % width).alias("column"))
    value = pl.col("value")
    long = long.with_columns(value.str.strip_chars()).filter(
        value.is_not_null() & ~value.str.to_lowercase().is_in(sorted(NULL_WORDS | {""}))
    )
    dated = value.str.contains(_DATE)
    number = value.str.contains(_NUMBER) & value.str.contains("[0-9]")
    judged = long.with_columns(
        value.str.contains(_INTEGER).alias("integer"),
        number.alias("decimal"),
        value.str.contains(_PERCENT).alias("percent"),
        (dated & value.str.contains(":")).alias("datetime"),
        dated.alias("date"),
        value.str.contains(_ISO_DATE).alias("iso"),
        value.str.replace(r"^\((.*)\)$", "-$1")
        .str.replace_all(r"[^0-9.\-]", "")
        .cast(pl.Float64, strict=False)
        .alias("number"),
        value.str.slice(0, _TEXT_LENGTH).alias("short"),
    )
    result = judged.group_by("column").agg(
        pl.len().alias("filled"),
        value.n_unique().alias("distinct"),
        *[pl.col(name).all() for name in (*_TYPES, "iso")],
        pl.col("number").min().alias("least"),
        pl.col("number").max().alias("most"),
        pl.col("short").min().alias("first"),
        pl.col("short").max().alias("last"),
        pl.col("short").unique(maintain_order=True).head(_EXAMPLES).alias("examples"),
    )
    return {entry["column"]: entry for entry in result.iter_rows(named=True)}


def _entry(header: str, rows: int, found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        empty = {"type": "empty", "empty": 100.0 if rows else 0.0, "distinct": 0, "min": None, "max": None}
        return {"header": header, **empty, "examples": []}
    kind = next((name for name in _TYPES if found[name]), "text")
    least, most = _range(kind, found)
    return {
        "header": header,
        "type": kind,
        "empty": round(100 * (rows - found["filled"]) / rows, 1),
        "distinct": found["distinct"],
        "min": least,
        "max": most,
        "examples": found["examples"],
    }


def _range(kind: str, found: dict[str, Any]) -> tuple[object, object]:
    """Smallest and largest value; None for dates whose text does not sort by time."""
    if kind in {"integer", "decimal", "percent"}:
        return tuple(_plain(found[name], kind) for name in ("least", "most"))  # type: ignore[return-value]
    if kind in {"date", "datetime"} and not found["iso"]:
        return None, None
    return found["first"], found["last"]


def _plain(number: float | None, kind: str) -> float | int | None:
    return int(number) if number is not None and kind == "integer" else number
