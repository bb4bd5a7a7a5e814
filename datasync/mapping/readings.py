"""Where two templates with one header read a sample value as two different things."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from datasync.fields import Kind
from datasync.ingest.plan import NumberFormat
from datasync.mapping.template import DATE_KINDS, Template, TemplateColumn
from datasync.mapping.values import (
    Contradiction,
    column_values,
    is_number,
    split_period,
    stated,
    without_ornaments,
)

_NUMBERS = (Kind.DECIMAL, Kind.INTEGER, Kind.PERCENT)
_SHOWN = 3

Rows = Sequence[Sequence[str | None]]


def two_readings(
    header: Sequence[str], binding: dict[int, int], first: Template, second: Template, rows: Rows
) -> tuple[Contradiction, ...]:
    """The columns of which some sample value means one thing by one template and another by the other.

    Both templates bind the header in the same way; values that only one of them can read are no matter of this.
    """
    found = []
    for position, target in sorted(binding.items()):
        ours, theirs = first.columns[target], second.columns[target]
        if ours.field is None or ours.kind is not theirs.kind:
            continue
        values = column_values(rows, position)
        differing = tuple(value for value in values if _differs(value, (first, ours), (second, theirs)))
        if differing:
            what = "number" if ours.kind in _NUMBERS else "date"
            reason = f"its {what} format cannot be told: two templates read the values in two ways"
            found.append(Contradiction(position, header[position], ours.field, ours.kind, differing[:_SHOWN], reason))
    return tuple(found)


def _differs(value: str, first: tuple[Template, TemplateColumn], second: tuple[Template, TemplateColumn]) -> bool:
    readings = [_reading(value, template, column) for template, column in (first, second)]
    return None not in readings and readings[0] != readings[1]


def _reading(value: str, template: Template, column: TemplateColumn) -> object:
    if column.kind in _NUMBERS:
        return number_of(value, template.number_format)
    if column.kind in DATE_KINDS:
        ends = split_period(value) if column.kind is Kind.PERIOD else [value]
        dates = tuple(stated(end, column.format) for end in ends)
        return None if None in dates else dates
    return value


def number_of(value: str, number_format: NumberFormat) -> Decimal | None:
    """The number that a value is in that format, or None."""
    if not is_number(value, number_format):
        return None
    grouping, mark = (",", ".") if number_format is NumberFormat.DOT else (".", ",")
    try:
        return Decimal(without_ornaments(value).replace(grouping, "").replace(mark, "."))
    except InvalidOperation:
        return None
