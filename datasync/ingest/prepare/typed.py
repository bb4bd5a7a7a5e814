"""Each standard field's text made into its value, column by column, by the kind that the template states."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from datasync.fields import Kind
from datasync.ingest.plan import Column, Plan
from datasync.ingest.prepare import dates, numbers, text
from datasync.ingest.prepare.cells import Errors

_DAY = "%Y-%m-%d"
Zones = list[tuple[str, pl.Series | None]]
"""Time zones, each with a mask of the rows whose local time it is; None means all."""


@dataclass(slots=True)
class Typed:
    """Typed columns by field name (dates and amounts as text the database reads), and what could not be read.

    ``days`` holds, for each date or time column, the local day as a date: what the row's period is taken from.
    """

    columns: dict[str, pl.Series] = field(default_factory=dict)
    errors: list[tuple[Column, Errors]] = field(default_factory=list)
    days: dict[str, pl.Series] = field(default_factory=dict)


def type_columns(fields: pl.DataFrame, columns: Iterable[Column], plan: Plan, zones: Zones) -> Typed:
    """Type every bound column of ``fields``, which holds text under the fields' names."""
    typed = Typed()
    period = (plan.scope.period_start, plan.scope.period_end)
    for column in columns:
        if column.field is None:
            continue
        errors = Errors()
        _type_column(fields[column.field], column, period, zones, typed, errors)
        if errors.masks:
            typed.errors.append((column, errors))
    return typed


def _type_column(
    cells: pl.Series,
    column: Column,
    period: tuple[date | None, date | None],
    zones: Zones,
    typed: Typed,
    errors: Errors,
) -> None:
    name, timezone = cells.name, zones[0][0]
    if column.kind is Kind.PERIOD:
        first, last = dates.periods(cells, column.format, period, timezone, errors)
        typed.days["period_start"], typed.days["period_end"] = first, last
    elif column.kind is Kind.DATETIME:
        local, utc = _moments(cells, column.format, period, zones, errors)
        typed.days[name] = local.dt.date()
        typed.columns[name] = utc
    elif column.kind is Kind.DATE:
        days = _days(cells, column.format, period, timezone, typed, errors)
        typed.days[name] = days
        typed.columns[name] = days.dt.strftime(_DAY)
    elif column.kind is Kind.HOUR:
        hours, days = dates.hours(cells, column.format, period, timezone, errors)
        typed.columns[name] = hours
        typed.days.setdefault("metric_date", days)
    else:
        typed.columns[name] = _value(cells, column, errors)


def _moments(
    cells: pl.Series, formats: str, period: tuple[date | None, date | None], zones: Zones, errors: Errors
) -> tuple[pl.Series, pl.Series]:
    """Local times and the same in UTC as text, read in the zone of each row."""
    read: list[tuple[pl.Series, pl.Series]] = []
    for timezone, mask in zones:
        own = cells if mask is None else cells.zip_with(mask, dates.nothing(cells))
        local = dates.moments(own, formats, period, timezone, errors)
        read.append((local, dates.to_utc(local, timezone, errors)))
    local, utc = read[0]
    for (_, mask), (other_local, other_utc) in zip(zones[1:], read[1:], strict=True):
        if mask is not None:
            local, utc = other_local.zip_with(mask, local), other_utc.zip_with(mask, utc)
    return local, utc


def _days(
    cells: pl.Series,
    formats: str,
    period: tuple[date | None, date | None],
    timezone: str,
    typed: Typed,
    errors: Errors,
) -> pl.Series:
    """Days; where a row is of several, such as a week of a weekly report, its first, and the row's period is both."""
    if cells.name != "metric_date" or not dates.may_hold_ranges(cells):
        return dates.moments(cells, formats, period, timezone, errors).dt.date()
    first, last = dates.periods(cells, formats, period, timezone, errors)
    typed.days["period_start"], typed.days["period_end"] = first, last
    return first


def _value(cells: pl.Series, column: Column, errors: Errors) -> pl.Series:
    number_format = column.number_format
    match column.kind:
        case Kind.IDENTIFIER:
            values = text.identifiers(cells, errors)
        case Kind.CURRENCY:
            values = text.currencies(cells, errors)
        case Kind.INTEGER:
            values = numbers.integers(cells, number_format, errors)
        case Kind.DECIMAL:
            values = numbers.amounts(cells, number_format, errors)
        case Kind.PERCENT:
            in_percent = "%" in column.header or "％" in column.header
            values = numbers.shares(cells, number_format, errors, in_percent=in_percent)
        case Kind.DURATION:
            values = numbers.durations(cells, number_format, errors)
        case _:
            values = cells
    return values
