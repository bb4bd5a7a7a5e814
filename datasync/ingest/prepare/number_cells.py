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
        if name in numbers and column.number_format is NumberFormat.COMMA and column.kind in _NUMERIC:
            written = pl.col(name).str.replace(".", ",", literal=True)
            commas.append(pl.when(numbers[name]).then(written).otherwise(pl.col(name)).alias(name))
    return values.with_columns(commas) if commas else values
