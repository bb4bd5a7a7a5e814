"""Rows that are no data: totals, a header repeated, a description under the header. They are left out, and counted."""

from __future__ import annotations

import polars as pl

from datasync.fields import Domain, Kind
from datasync.ingest.plan import Column, NumberFormat, Plan
from datasync.ingest.prepare.cells import Errors, plain
from datasync.ingest.prepare.dates import periods, split_range
from datasync.ingest.prepare.numbers import amounts
from datasync.ingest.words import TOTALS_WORDS

_NUMERIC = (Kind.INTEGER, Kind.DECIMAL)
_LABELS = sorted({form for word in TOTALS_WORDS for form in (word, word.upper(), word.title(), word.capitalize())})


def not_data(values: pl.DataFrame, plan: Plan, *, first: bool, last: bool) -> pl.Series:
    """A mask of the rows that are no data. ``first`` and ``last`` say that the batch begins or ends the sheet."""
    key = key_column(plan)
    if key is None:
        return pl.Series([False] * len(values), dtype=pl.Boolean)
    mask = _labelled(values, plan, key) | _header_again(values, plan)
    if plan.scope.domain in (Domain.ANALYTICS, Domain.SERVICES) and key.kind is Kind.DATE:
        mask |= _whole_period(values[f"c{key.position}"], key, plan)
    if first and len(values) > 1:
        mask |= _first_row(values, plan, mask, whole=last)
    return mask


def key_column(plan: Plan) -> Column | None:
    """The column that holds a row's id or date, in which a total has its label or nothing."""
    bound = {column.field: column for column in plan.columns if column.field}
    return next((bound[name] for name in plan.identity if name in bound), None)


def _labelled(values: pl.DataFrame, plan: Plan, key: Column) -> pl.Series:
    """A label in the key column, or in a text column beside an empty key, in a row that names nothing else.

    What a shop sells may be named ``Total`` or ``SUM``: such a row has an id, a name, a date or a place as well.
    """
    keys = values[f"c{key.position}"]
    label, empty = _is_label(keys), keys.is_null()
    if empty.any():
        for column in plan.columns[:8]:
            if column.kind in (Kind.TEXT, Kind.IDENTIFIER):
                label |= empty & _is_label(values[f"c{column.position}"])
    if not label.any():
        return label
    for column in plan.columns:
        if _names(column, plan) and column.position != key.position:
            cells = values[f"c{column.position}"]
            label &= cells.is_null() | _is_label(cells)
    return label


def _names(column: Column, plan: Plan) -> bool:
    """Whether a cell of this column says which thing, day or place a row is about."""
    if column.kind in (Kind.IDENTIFIER, Kind.DATE, Kind.DATETIME, Kind.PERIOD, Kind.HOUR):
        return True
    return column.field is not None and (
        column.field.endswith("_name") or (column.kind is Kind.TEXT and column.field in plan.identity)
    )


def _is_label(cells: pl.Series) -> pl.Series:
    return cells.str.strip_chars_end(":： ").is_in(_LABELS).fill_null(value=False)


def _header_again(values: pl.DataFrame, plan: Plan) -> pl.Series:
    """Reports with several blocks repeat their header between them."""
    named = [column for column in plan.columns if column.field and column.header.strip()][:3]
    mask = pl.Series([len(named) > 1] * len(values), dtype=pl.Boolean)
    for column in named:
        mask &= (values[f"c{column.position}"] == column.header.strip()).fill_null(value=False)
    return mask


def _whole_period(keys: pl.Series, key: Column, plan: Plan) -> pl.Series:
    """A range of days that is the total of other rows: where each row is a day or an hour, or where it covers them.

    Any other range is a row's own period, as the weeks are in a weekly report.
    """
    long = keys.filter((keys.str.len_chars() >= 17).fill_null(value=False)).unique().to_list()
    ranges = [text for text in long if (ends := split_range(text)) is not None and ends[0] != ends[1]]
    if ranges and plan.scope.granularity not in ("hourly", "daily"):
        ranges = _covering(ranges, keys.unique(), key, plan)
    return keys.is_in(ranges).fill_null(value=False)


def _covering(ranges: list[str], keys: pl.Series, key: Column, plan: Plan) -> list[str]:
    """Those of the ranges that other keys lie in."""
    said = (plan.scope.period_start, plan.scope.period_end)
    first, last = periods(keys, key.format, said, plan.scope.timezone, Errors())
    covering = []
    for text in ranges:
        own = keys == text
        start, end = first.filter(own)[0], last.filter(own)[0]
        if start is not None and end is not None and (~own & (first >= start) & (last <= end)).any():
            covering.append(text)
    return covering


def _first_row(values: pl.DataFrame, plan: Plan, others: pl.Series, *, whole: bool) -> pl.Series:
    """The first row when it describes the columns, or names nothing and holds the sums of the rows that are data.

    Sums are judged only when the whole sheet is there to be added up, and the rows below name something: otherwise the
    first is one of them.
    """
    hit = _describes(values, plan)
    hit = hit or (whole and _is_alone_anonymous(values, plan) and _is_sum(values.filter(~others), plan))
    return pl.Series([hit] + [False] * (len(values) - 1), dtype=pl.Boolean)


def _is_alone_anonymous(values: pl.DataFrame, plan: Plan) -> bool:
    """Whether the first row names nothing, and another one does: a row that merely lost its id is no total."""
    naming = [values[f"c{column.position}"] for column in plan.columns if _names(column, plan)]
    return all(cells[0] is None for cells in naming) and any(cells.is_not_null().any() for cells in naming)


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
