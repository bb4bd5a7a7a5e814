"""Numbers from text: amounts, whole numbers, shares and durations.

The decimal mark is the template's word, never guessed. The fast way casts whole columns; only the cells that it cannot
read (currency signs, grouping, parentheses, full-width digits) are looked at one by one.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import polars as pl

from datasync.ingest.plan import NumberFormat
from datasync.ingest.prepare.cells import Errors, one_by_one, plain
from datasync.reasons import Reason

_AMOUNT_LIMIT = 1e16
_RATIO_LIMIT = 1e8
_INTEGER_LIMIT = 2**63
_CURRENCY = re.compile(
    r"^(?:US|S|R|HK|NT|A|C|MX|CO)?\$|^(?:[A-Z]{3}|RM|RP|R\$|S\$|[₱฿₫¥€£₹₩đ])\s*|\s*(?:[A-Z]{3}|RM|元|[₱฿₫¥€£₹₩đ])$",
    re.IGNORECASE,
)
_DOT = re.compile(r"(?:\d+|\d{1,3}(?:[, ]\d{3})+)?(?:\.\d*)?(?:E[+-]?\d{1,3})?", re.IGNORECASE)
_COMMA = re.compile(r"(?:\d+|\d{1,3}(?:[. ]\d{3})+)?(?:,\d*)?(?:E[+-]?\d{1,3})?", re.IGNORECASE)


def _unsigned(text: str) -> tuple[str, bool]:
    """The number without sign, brackets and currency, and whether it is negative."""
    negative = False
    if text.startswith("(") and text.endswith(")"):
        text, negative = text[1:-1].strip(), True
    for _ in range(2):  # a sign may stand before or behind the currency
        if text[:1] in ("-", "−", "+") or text[-1:] in ("-", "−"):
            negative = negative or text[0] in "-−" or text[-1] in "-−"
            text = text.strip("-−+ ")
        text = _CURRENCY.sub("", text).strip()
    return text, negative


def decimal_of(text: str, number_format: NumberFormat) -> Decimal | None:
    """The number that ``text`` says in this format, or None."""
    digits, negative = _unsigned(plain(text))
    comma = number_format is NumberFormat.COMMA
    if not any(sign.isdigit() for sign in digits) or not (_COMMA if comma else _DOT).fullmatch(digits):
        return None
    if comma:
        digits = digits.replace(".", "").replace(",", ".")
    try:
        number = Decimal(digits.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        return None
    return -number if negative else number


def amounts(cells: pl.Series, number_format: NumberFormat, errors: Errors) -> pl.Series:
    """Amounts as decimal text, so that no digit is lost on the way to the database."""

    def parse(text: str) -> tuple[str | None, Reason | None]:
        number = decimal_of(text, number_format)
        if number is None:
            return None, Reason.INVALID_NUMBER
        if abs(number) >= _AMOUNT_LIMIT:
            return None, Reason.NUMBER_OUT_OF_RANGE
        return format(number, "f"), None

    return one_by_one(cells, _unread(cells, number_format, _AMOUNT_LIMIT), cells, parse, errors)


def _unread(cells: pl.Series, number_format: NumberFormat, limit: float) -> pl.Series:
    """Which cells are more than a plain number of this format."""
    numbers = cells.cast(pl.Float64, strict=False)
    plain_numbers = (numbers.abs() < limit).fill_null(value=False)
    if number_format is NumberFormat.COMMA:
        plain_numbers &= ~cells.str.contains(".", literal=True).fill_null(value=True)
    return cells.is_not_null() & ~plain_numbers


def integers(cells: pl.Series, number_format: NumberFormat, errors: Errors) -> pl.Series:
    """Whole numbers; ``12.0`` is one, ``12.5`` is not."""

    def parse(text: str) -> tuple[int | None, Reason | None]:
        number = decimal_of(text, number_format)
        if number is None or number.is_infinite():
            return None, Reason.INVALID_INTEGER
        if abs(number) >= _INTEGER_LIMIT:
            return None, Reason.NUMBER_OUT_OF_RANGE
        if number != int(number):
            return None, Reason.INVALID_INTEGER
        return int(number), None

    values = cells.cast(pl.Int64, strict=False)
    return one_by_one(cells, cells.is_not_null() & values.is_null(), values, parse, errors)


def shares(cells: pl.Series, number_format: NumberFormat, errors: Errors, *, in_percent: bool) -> pl.Series:
    """Shares of one: ``12.5%`` is 0.125. A bare number is a share already, unless the header says percent."""

    def parse(text: str) -> tuple[str | None, Reason | None]:
        said = plain(text)
        per_cent = said.endswith("%") or in_percent
        number = decimal_of(said.removesuffix("%"), number_format)
        if number is None:
            return None, Reason.INVALID_PERCENT
        if per_cent:
            number /= 100
        if abs(number) >= _RATIO_LIMIT:
            return None, Reason.NUMBER_OUT_OF_RANGE
        return format(number, "f"), None

    todo = cells.is_not_null() if in_percent else _unread(cells, number_format, _RATIO_LIMIT)
    if not in_percent and number_format is NumberFormat.DOT:
        return _percentages(cells, todo, parse, errors)
    return one_by_one(cells, todo, cells, parse, errors)


def _percentages(cells: pl.Series, todo: pl.Series, parse: object, errors: Errors) -> pl.Series:
    """``5.48%`` by whole columns: it is how nearly every share is written."""
    bare = cells.str.strip_suffix("%")
    numbers = bare.cast(pl.Decimal(18, 6), strict=False)
    easy = todo & cells.str.ends_with("%") & numbers.is_not_null() & (numbers.abs().cast(pl.Float64) < 1e9)
    easy = easy.fill_null(value=False)
    values = cells.zip_with(~easy, (numbers.cast(pl.Float64) / 100).round(8).cast(pl.String))
    return one_by_one(cells, todo & ~easy, values, parse, errors)  # type: ignore[arg-type]


_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
_UNITS = (
    (re.compile(r"(\d+(?:\.\d+)?)\s*(?:days?|d|天|日|dias?|hari|ngày|วัน)", re.IGNORECASE), 86400),
    (re.compile(r"(\d+(?:\.\d+)?)\s*(?:hours?|hrs?|h|小时|小時|时|horas?|jam|giờ|ชั่วโมง)", re.IGNORECASE), 3600),
    (
        re.compile(r"(\d+(?:\.\d+)?)\s*(?:minutes?|mins?|m|分钟|分鐘|分|minutos?|menit|minit|phút|นาที)", re.IGNORECASE),
        60,
    ),
    (re.compile(r"(\d+(?:\.\d+)?)\s*(?:seconds?|secs?|s|秒|segundos?|detik|saat|giây|วินาที)", re.IGNORECASE), 1),
)


def durations(cells: pl.Series, number_format: NumberFormat, errors: Errors) -> pl.Series:
    """Durations in seconds: a number, a clock (``00:01:23``) or words (``1分23秒``)."""

    def parse(text: str) -> tuple[str | None, Reason | None]:
        said = plain(text)
        if (clock := _CLOCK.fullmatch(said)) is not None:
            hours, minutes, seconds = (Decimal(part or 0) for part in clock.groups())
            return format(hours * 3600 + minutes * 60 + seconds, "f"), None
        total, rest = Decimal(0), said
        for pattern, seconds_each in _UNITS:
            if (found := pattern.search(rest)) is not None:
                total += Decimal(found[1]) * seconds_each
                rest = rest[: found.start()] + rest[found.end() :]
        if rest.strip() == "" and rest != said:
            return format(total, "f"), None
        number = decimal_of(said, number_format)
        if number is None or abs(number) >= _RATIO_LIMIT:
            return None, Reason.INVALID_DURATION
        return format(number, "f"), None

    return one_by_one(cells, _unread(cells, number_format, _RATIO_LIMIT), cells, parse, errors)
