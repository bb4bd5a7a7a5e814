"""Number cells of a workbook under a template whose texts have a decimal comma."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from datasync.fields import Kind
from datasync.ingest.plan import Column, NumberFormat

_NUMERIC = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.PERCENT, Kind.DURATION})


def in_template_format(
    values: pl.DataFrame, numbers: Mapping[str, pl.Series], columns: Iterable[Column]
) -> pl.DataFrame:
    """``values`` with a comma for the point in number cells, where the template reads texts that way.

    The reader writes every number cell with a point, so 3.125 would be read as three thousand.
    """
    commas: list[pl.Expr] = []
    for column in columns:
        name = f"c{column.position}"
        if name in numbers and _reads_commas(column):
            written = pl.col(name).str.replace(".", ",", literal=True)
            commas.append(pl.when(numbers[name]).then(written).otherwise(pl.col(name)).alias(name))
    return values.with_columns(commas) if commas else values


def read_otherwise(
    original: pl.DataFrame, numbers: Mapping[int, pl.Series], columns: Iterable[Column]
) -> dict[int, pl.Series]:
    """By position: the number cells that say something else than a text cell of the same characters."""
    found: dict[int, pl.Series] = {}
    for column in columns:
        if column.position in numbers and _reads_commas(column):
            pointed = original[f"c{column.position}"].str.contains(".", literal=True).fill_null(value=False)
            found[column.position] = numbers[column.position] & pointed
    return found


def _reads_commas(column: Column) -> bool:
    return column.number_format is NumberFormat.COMMA and column.kind in _NUMERIC
