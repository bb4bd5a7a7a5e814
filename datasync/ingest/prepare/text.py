"""Text and identifiers. An identifier stays text: leading zeros count, and nothing is rounded."""

from __future__ import annotations

import re

import polars as pl

from datasync.currencies import currency_code
from datasync.ingest.prepare.cells import Errors, one_by_one
from datasync.reasons import Reason

_SCIENTIFIC = re.compile(r"(\d)(?:[.,](\d+))?E\+?(\d{1,2})", re.IGNORECASE)
_SURE_DIGITS = 15  # what a spreadsheet's floating-point number keeps
_SHOWN_DIGITS = 6  # no more stand behind the point where a number was only shown in this way, and so cut off
_GUARDED = re.compile(r'^=?"([^"]*)"$|^\'(.*)$', re.DOTALL)


def identifiers(cells: pl.Series, errors: Errors) -> pl.Series:
    """Identifiers, with what a spreadsheet did to them undone where that is certain.

    ``2.7984946015E10`` is 27984946015 again; where the exponent has swallowed digits the cell is marked. ``="00123"``
    and ``'00123`` lose the wrapping that only keeps a spreadsheet from counting them.
    """

    def parse(text: str) -> tuple[str | None, Reason | None]:
        if (guarded := _GUARDED.match(text)) is not None:
            return (guarded[1] or guarded[2] or None), None
        scientific = _SCIENTIFIC.fullmatch(text)
        if scientific is None:
            return text, None
        whole, fraction, exponent = scientific[1], scientific[2] or "", int(scientific[3])
        if len(fraction) > exponent or exponent < 6:
            return text, None  # not a whole number: an id that merely looks like one
        if exponent >= _SURE_DIGITS or len(fraction) < min(exponent, _SHOWN_DIGITS + 1):
            return None, Reason.PRECISION_LOST
        return whole + fraction.ljust(exponent, "0"), None

    odd = cells.str.contains(r"""^(?:\d(?:[.,]\d+)?[eE]\+?\d{1,2}|=?".*"|'.*)$""").fill_null(value=False)
    return one_by_one(cells, odd, cells, parse, errors) if odd.any() else cells


def currencies(cells: pl.Series, errors: Errors) -> pl.Series:
    """ISO 4217 codes; ``RMB`` is CNY and ``RM`` is MYR."""

    def parse(text: str) -> tuple[str | None, Reason | None]:
        code = currency_code(text)
        return (code, None) if code else (None, Reason.INVALID_CURRENCY)

    return one_by_one(cells, cells.is_not_null(), cells, parse, errors)
