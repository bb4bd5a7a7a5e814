"""Numbers from text: amounts, whole numbers, shares and durations.

The decimal mark is the template's word, never guessed. The fast way casts whole columns; only the cells that it cannot
read (currency signs, grouping, parentheses, full-width digits) are looked at one by one.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

import polars as pl

from datasync.currencies import ISO_CODES, SIGNS
from datasync.ingest.plan import NumberFormat
from datasync.ingest.prepare.cells import Errors, one_by_one, plain
from datasync.reasons import Reason

_INTEGER_LIMIT = 2**63
_FIFTEEN_DIGITS = Context(prec=15)


@dataclass(frozen=True, slots=True)
class Room:
    """What a column of the database holds: digits before the point, and digits behind it, to which it rounds.

    SQLite keeps fifteen digits, and what rounds up to one digit more could not be read again.
    """

    whole: int
    scale: int

    @property
    def surely(self) -> float:
        """Below this a number still fits when it is rounded up, and when it is judged as a binary number."""
        return 10.0 ** (self.whole - 1)

    def fit(self, number: Decimal) -> tuple[str | None, Reason | None]:
        """The number as the column will hold it."""
        if number.adjusted() < self.whole:
            rounded = number.quantize(Decimal(1).scaleb(-self.scale), rounding=ROUND_HALF_UP)
            if _FIFTEEN_DIGITS.plus(rounded).adjusted() < self.whole:
                return format(rounded, "f"), None
        return None, Reason.NUMBER_OUT_OF_RANGE


_AMOUNT, _SHARE, _SECONDS = Room(16, 4), Room(8, 6), Room(11, 3)
_CODES = "|".join(sorted(ISO_CODES))
_SIGNS = "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True))
_CURRENCY = re.compile(
    rf"^(?:(?:{_CODES}|RMB)|(?i:{_SIGNS}))\s*|\s*(?:(?<![A-Za-z])(?:{_CODES}|RMB)|(?i:(?<![A-Za-z])(?:{_SIGNS})))$"
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
        return _AMOUNT.fit(number)

    return one_by_one(cells, _unread(cells, number_format, _AMOUNT), cells, parse, errors)


def _unread(cells: pl.Series, number_format: NumberFormat, room: Room) -> pl.Series:
    """Which cells are more than a plain number of this format that surely fits."""
    numbers = cells.cast(pl.Float64, strict=False)
    if number_format is NumberFormat.DOT and numbers.null_count() == cells.null_count() and _all_fit(numbers, room):
        return pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(cells))
    plain_numbers = (numbers.abs() < room.surely).fill_null(value=False)
    if number_format is NumberFormat.COMMA:
        plain_numbers &= ~cells.str.contains(".", literal=True).fill_null(value=True)
    return cells.is_not_null() & ~plain_numbers


def _all_fit(numbers: pl.Series, room: Room) -> bool:
    """Whether all are finite and within the limit: what nearly every column is, told by three numbers of it."""
    bounds = [float(bound) for bound in (numbers.min(), numbers.max()) if isinstance(bound, float)]
    return math.isfinite(float(numbers.sum())) and all(abs(bound) < room.surely for bound in bounds)


def integers(cells: pl.Series, number_format: NumberFormat, errors: Errors) -> pl.Series:
    """Whole numbers; ``12.0`` is one, ``12.5`` is not."""

    def parse(text: str) -> tuple[int | None, Reason | None]:
        number = decimal_of(text, number_format)
        if number is None or number.is_infinite():
            return None, Reason.INVALID_INTEGER
        if number.adjusted() > 18 or abs(number) >= _INTEGER_LIMIT:
            return None, Reason.NUMBER_OUT_OF_RANGE
        if number != int(number):
            return None, Reason.INVALID_INTEGER
        return int(number), None

    values = cells.cast(pl.Int64, strict=False)
    if values.null_count() == cells.null_count():
        return values
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
            number = number.scaleb(-2)
        return _SHARE.fit(number)

    todo = cells.is_not_null() if in_percent else _unread(cells, number_format, _SHARE)
    if not in_percent and number_format is NumberFormat.DOT and todo.any():
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
            return _SECONDS.fit(hours * 3600 + minutes * 60 + seconds)
        total, rest = Decimal(0), said
        for pattern, seconds_each in _UNITS:
            if (found := pattern.search(rest)) is not None:
                total += Decimal(found[1]) * seconds_each
                rest = rest[: found.start()] + rest[found.end() :]
        if rest.strip() == "" and rest != said:
            return _SECONDS.fit(total)
        number = decimal_of(said, number_format)
        return (None, Reason.INVALID_DURATION) if number is None else _SECONDS.fit(number)

    return one_by_one(cells, _unread(cells, number_format, _SECONDS), cells, parse, errors)
