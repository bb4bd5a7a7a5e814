"""Rows that are no data: totals, a header repeated, a description under the header. They are left out, and counted."""

from __future__ import annotations

import polars as pl

from datasync.fields import Domain, Kind
from datasync.ingest.plan import Column, NumberFormat, Plan
from datasync.ingest.prepare.cells import Errors, plain
from datasync.ingest.prepare.dates import split_range
from datasync.ingest.prepare.numbers import amounts
from datasync.ingest.words import TOTALS_WORDS

_NUMERIC = (Kind.INTEGER, Kind.DECIMAL)
_LABELS = sorted({form for word in TOTALS_WORDS for form in (word, word.upper(), word.title(), word.capitalize())})


def not_data(values: pl.DataFrame, plan: Plan, *, first: bool) -> pl.Series:
    """A mask of the rows that are no data. ``first`` says that the batch begins the sheet's data."""
    key = key_column(plan)
    if key is None:
        return pl.Series([False] * len(values), dtype=pl.Boolean)
    keys = values[f"c{key.position}"]
    mask = _labelled(values, plan, keys) | _header_again(values, plan)
    if plan.scope.domain in (Domain.ANALYTICS, Domain.SERVICES) and key.kind is Kind.DATE:
        mask |= _whole_period(keys)
    if first and len(values) > 1:
        mask |= _first_row(values, plan, mask)
    return mask


def key_column(plan: Plan) -> Column | None:
    """The column that holds a row's id or date, in which a total has its label or nothing."""
    bound = {column.field: column for column in plan.columns if column.field}
    return next((bound[name] for name in plan.identity if name in bound), None)


def _labelled(values: pl.DataFrame, plan: Plan, keys: pl.Series) -> pl.Series:
    """The label in the key column, or in a text column beside an empty key."""
    label = _is_label(keys)
    empty = keys.is_null()
    if empty.any():
        for column in plan.columns[:8]:
            if column.kind in (Kind.TEXT, Kind.IDENTIFIER):
                label |= empty & _is_label(values[f"c{column.position}"])
    return label


def _is_label(cells: pl.Series) -> pl.Series:
    return cells.str.strip_chars_end(":： ").is_in(_LABELS).fill_null(value=False)


def _header_again(values: pl.DataFrame, plan: Plan) -> pl.Series:
    """Reports with several blocks repeat their header between them."""
    named = [column for column in plan.columns if column.field and column.header.strip()][:3]
    mask = pl.Series([len(named) > 1] * len(values), dtype=pl.Boolean)
    for column in named:
        mask &= (values[f"c{column.position}"] == column.header.strip()).fill_null(value=False)
    return mask


def _whole_period(keys: pl.Series) -> pl.Series:
    """A range of days where each row is one day: the period's total."""
    long = keys.filter((keys.str.len_chars() >= 17).fill_null(value=False)).unique().to_list()
    totals = [text for text in long if (ends := split_range(text)) is not None and ends[0] != ends[1]]
    return keys.is_in(totals).fill_null(value=False)


def _first_row(values: pl.DataFrame, plan: Plan, others: pl.Series) -> pl.Series:
    """The first row when it describes the columns, or has no id and holds the sums of the rows that are data."""
    hit = _describes(values, plan) or (_is_anonymous(values, plan) and _is_sum(values.filter(~others), plan))
    return pl.Series([hit] + [False] * (len(values) - 1), dtype=pl.Boolean)


def _is_anonymous(values: pl.DataFrame, plan: Plan) -> bool:
    """Whether the first row has neither id nor date in any column: a row that merely lost its id is no total."""
    naming = (Kind.IDENTIFIER, Kind.DATE, Kind.DATETIME, Kind.PERIOD)
    return all(values[f"c{column.position}"][0] is None for column in plan.columns if column.kind in naming)


def _describes(values: pl.DataFrame, plan: Plan) -> bool:
    """Prose in every filled cell that should hold a number or a date, and in at least two of them."""
    typed = [column for column in plan.columns if column.field and column.kind not in (Kind.TEXT, Kind.IDENTIFIER)]
    cells = [text for column in typed if (text := values[f"c{column.position}"][0]) is not None]
    return len(cells) > 1 and not any(sign.isdigit() for text in cells for sign in plain(text))


def _is_sum(values: pl.DataFrame, plan: Plan) -> bool:
    """Whether two or more columns of numbers, and all that can be judged, add up to the first row."""
    agreeing = 0
    for column in plan.columns:
        if column.kind not in _NUMERIC or (said := values[f"c{column.position}"][0]) is None:
            continue
        first, rest = _sum_of(pl.Series([said]), column.number_format), values[f"c{column.position}"][1:]
        total = _sum_of(rest, column.number_format)
        if first == 0 or abs(first - total) > 0.01 * max(1.0, len(rest) / 100):
            if first != 0:
                return False
            continue
        agreeing += 1
    return agreeing > 1


def _sum_of(cells: pl.Series, number_format: NumberFormat) -> float:
    return float(amounts(cells, number_format, Errors()).cast(pl.Float64, strict=False).sum() or 0)
