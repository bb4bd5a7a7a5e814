"""Guess from sample values how an export writes its numbers and dates, only as far as the values leave no doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from datasync.ingest.plan import NumberFormat
from datasync.mapping.values import parsed, split_period

_CLEARLY_DOT = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\d+\.(?:\d{1,2}|\d{4,})")
_CLEARLY_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d+,(?:\d{1,2}|\d{4,})")
_FIGURES = re.compile(r"\d[\d.,]*")

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


def guess_number_format(values: Iterable[str]) -> NumberFormat:
    """The decimal mark that the values show; a dot where they show none, or both."""
    figures = [found[0].rstrip(".,") for value in values if (found := _FIGURES.search(value))]
    dots = sum(_CLEARLY_DOT.fullmatch(figure) is not None for figure in figures)
    commas = sum(_CLEARLY_COMMA.fullmatch(figure) is not None for figure in figures)
    return NumberFormat.COMMA if commas > dots else NumberFormat.DOT


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
