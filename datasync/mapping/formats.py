"""Guess from sample values how an export writes its numbers and dates, only as far as the values leave no doubt."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from datasync.currencies import currency_code
from datasync.ingest.plan import NumberFormat
from datasync.mapping.values import parsed, split_period

_CLEARLY_DOT = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\d+\.(?:\d{1,2}|\d{4,})")
_CLEARLY_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d+,(?:\d{1,2}|\d{4,})")
_FIGURES = re.compile(r"\d[\d.,]*")
_EITHER = re.compile(r"\d{1,3}([.,])\d{3}")
"""One mark before three digits: 1.250 is a thousand or one and a quarter."""
_WITHOUT_DECIMALS = frozenset({"VND", "IDR", "COP", "CLP", "KRW", "JPY"})
"""Currencies whose amounts are whole numbers in practice: a mark in them groups thousands."""

_TIMES = (
    "",
    " %H:%M:%S",
    " %H:%M",
    "T%H:%M:%S",
    "T%H:%M:%S%z",
    " %H:%M:%S %z",
    " %H:%M:%S UTC",
    " %I:%M:%S %p",
    " %I:%M %p",
)
_ORDERS = {
    "year first": ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日"),
    "day first": ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d %b %Y", "%d %B %Y"),
    "month first": ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%b %d, %Y", "%B %d, %Y"),
}
_FORMATS = {order: tuple(day + time for day in days for time in _TIMES) for order, days in _ORDERS.items()}


def guess_number_format(values: Iterable[str], *, currencies: Collection[str] = ()) -> NumberFormat | None:
    """The decimal mark that the values show, a dot where they have no marks at all; None when it cannot be told.

    ``currencies`` are those that headers name; together with those beside the values they settle what figures such as
    ``150.000`` leave open, if amounts in all of them are whole numbers.
    """
    values = list(values)
    figures = [found[0].rstrip(".,") for value in values if (found := _FIGURES.search(value))]
    dots = sum(_CLEARLY_DOT.fullmatch(figure) is not None for figure in figures)
    commas = sum(_CLEARLY_COMMA.fullmatch(figure) is not None for figure in figures)
    if dots != commas:
        return NumberFormat.COMMA if commas > dots else NumberFormat.DOT
    marks = {found[1] for figure in figures if (found := _EITHER.fullmatch(figure))}
    if not marks and not dots:
        return NumberFormat.DOT
    named = {*currencies, *_currencies_beside(values)} - {""}
    if dots or len(marks) != 1 or not named or not named <= _WITHOUT_DECIMALS:
        return None
    return NumberFormat.COMMA if marks == {"."} else NumberFormat.DOT


def _currencies_beside(values: Iterable[str]) -> set[str]:
    beside = {"".join(char for char in value if not (char.isdigit() or char in "+-., ()")) for value in values}
    return {code for text in beside if text and (code := currency_code(text))}


def guess_date_format(values: Sequence[str], *, period: bool = False) -> str:
    """The formats that read all values in one order of day, month and year, joined by "|".

    "auto" when there are no values, when no order reads all of them, or when several do.
    """
    texts = [end for value in values for end in (split_period(value) if period else (value,))]
    readings = [formats for known in _FORMATS.values() if (formats := _formats_for(texts, known))]
    return "|".join(readings[0]) if len(readings) == 1 else "auto"


def _formats_for(texts: Sequence[str], known: Sequence[str]) -> list[str]:
    """The formats needed to read all texts, or none when one text cannot be read."""
    used: dict[str, None] = {}
    for text in texts:
        fitting = next((one for one in known if parsed(text, one)), None)
        if fitting is None:
            return []
        used[fitting] = None
    return list(used)
