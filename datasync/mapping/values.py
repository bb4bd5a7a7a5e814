"""Judge by sample values: does a column hold what its template says, and how are numbers and dates written?

This looks at a handful of rows and decides nothing about a single one; the ingest types every cell by itself. It is
therefore lenient: what it calls a contradiction is one beyond doubt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from datasync.fields import Kind
from datasync.ingest.plan import NumberFormat
from datasync.ingest.words import INVISIBLE, NULL_WORDS
from datasync.mapping.template import DATE_KINDS, Template

MIN_VALUES = 4
MAX_SHARE_WRONG = 0.8
_MAX_CURRENCY = 8
_UNSEEN = str.maketrans("", "", "".join(INVISIBLE))

_NUMBER = {
    NumberFormat.DOT: re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d+)?"),
    NumberFormat.COMMA: re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)?(?:,\d*)?(?:[eE][+-]?\d+)?"),
}
_SCIENTIFIC = re.compile(r"[+-]?\d[\d.,]*[eE][+-]?\d+")
_FRACTION = {
    NumberFormat.DOT: re.compile(r"\.0*[1-9]"),
    NumberFormat.COMMA: re.compile(r",0*[1-9]"),
}
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_HOUR = re.compile(r"(?:.*[\s-])?([01]?\d|2[0-4])(?::\d\d){0,2}(?:\s*[-~]\s*\d{1,2}(?::\d\d){0,2})?")
_DURATION = re.compile(r"\d[\d:.,]*(?:\s*\w+)*")
_DATE_LIKE = re.compile(
    r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?(?:[T\s-]+\d{1,2}(?::\d\d){0,2}.*)?"
    r"|\d{1,2}[-/.\\]\d{1,2}[-/.\\](?:\d{4}|\d{2})(?:[T\s-]+\d{1,2}(?::\d\d){0,2}.*)?"
)
_YEAR_FIRST = re.compile(
    r"(\d{4})[-/.\\年](\d{1,2})[-/.\\月](\d{1,2})日?"
    r"(?:[T \-]+(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?)?\s*(AM|PM)?)?"
    r"(?:(?<=\d)\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?",
    re.IGNORECASE,
)
_CLOCKS = ("", " %H:%M:%S", " %H:%M", "-%H:%M", " %H")
_PERIOD_GLUE = re.compile(r"\s+[-–—~]\s+|\s*[~至]\s*|\s+to\s+|(?<=\d{4})-(?=\d{1,2}[-/.]\d{1,2}[-/.]\d{4})")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A column whose values are not what its template says, or of which it cannot be told what they say."""

    position: int  # in the file
    header: str
    field: str
    kind: Kind
    examples: tuple[str, ...]
    reason: str


def contradictions(
    header: Sequence[str], binding: dict[int, int], template: Template, rows: Sequence[Sequence[str | None]]
) -> tuple[Contradiction, ...]:
    """Columns of the file whose sample values contradict their kind, date format or number format."""
    found = []
    for position, target in sorted(binding.items()):
        column = template.columns[target]
        if column.field is None:
            continue
        reads = reader(column.kind, column.format, template.number_format)
        values = column_values(rows, position)
        wrong = [value for value in values if not reads(value)]
        if len(values) >= MIN_VALUES and len(wrong) >= MAX_SHARE_WRONG * len(values):
            reason = f"its values are no {column.kind}"
            found.append(Contradiction(position, header[position], column.field, column.kind, tuple(wrong[:3]), reason))
    return tuple(found)


def misread_values(binding: dict[int, int], template: Template, rows: Sequence[Sequence[str | None]]) -> int:
    """How many sample values the template's formats cannot read: what tells variants with equal headers apart."""
    count = 0
    for position, target in binding.items():
        column = template.columns[target]
        if column.field is not None:
            reads = reader(column.kind, column.format, template.number_format)
            count += sum(not reads(value) for value in column_values(rows, position))
    return count


def column_values(rows: Iterable[Sequence[str | None]], position: int) -> list[str]:
    """The sample values of one column, without invisible marks, and without those that hold nothing."""
    texts = (row[position] if position < len(row) else None for row in rows)
    cleaned = (unicodedata.normalize("NFKC", text).translate(_UNSEEN).strip() for text in texts if text)
    return [text for text in cleaned if text.casefold() not in NULL_WORDS]


def reader(kind: Kind, formats: str, number_format: NumberFormat) -> Callable[[str], bool]:
    """A function that says whether a value can be read as the kind."""
    if kind in DATE_KINDS:
        ends = split_period if kind is Kind.PERIOD else _one
        return lambda value: all(is_date(end, formats) for end in ends(value))
    readers: dict[Kind, Callable[[str], bool]] = {
        Kind.INTEGER: lambda value: is_number(value, number_format) and not _has_fraction(value, number_format),
        Kind.DECIMAL: lambda value: is_number(value, number_format),
        Kind.PERCENT: lambda value: is_number(value, number_format),
        Kind.HOUR: lambda value: _HOUR.fullmatch(value) is not None,
        Kind.DURATION: lambda value: _DURATION.fullmatch(value) is not None,
        Kind.IDENTIFIER: lambda value: not is_date(value, "auto") or _SERIAL.fullmatch(value) is not None,
        Kind.CURRENCY: lambda value: len(value) <= _MAX_CURRENCY and not any(char.isdigit() for char in value),
    }
    return readers.get(kind, bool)


def is_number(value: str, number_format: NumberFormat) -> bool:
    """Whether a value is a number once signs of currency, units, brackets and white space are taken away."""
    kept = without_ornaments(value)
    if not any(char.isdigit() for char in kept):
        return False
    return _NUMBER[number_format].fullmatch(kept) is not None


def without_ornaments(value: str) -> str:
    """A number without signs of currency, units, brackets and white space."""
    return value if _SCIENTIFIC.fullmatch(value) else "".join(char for char in value if not _is_ornament(char))


def is_date(value: str, formats: str) -> bool:
    """Whether the ingest reads a value as a date by these formats; with "auto": whether it looks like one at all."""
    if _SERIAL.fullmatch(value):
        return 20_000 <= float(value) <= 80_000
    if formats == "auto" and _DATE_LIKE.fullmatch(value):
        return True
    return year_first(value) is not None or stated(value, formats) is not None


def year_first(value: str) -> datetime | None:
    """A date with a four-digit year in front, which can be read one way only, whatever format is stated."""
    found = _YEAR_FIRST.fullmatch(value)
    if found is None:
        return None
    *parts, half = found.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    if half:
        hour = hour % 12 + (12 if half.upper() == "PM" else 0)
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - only whether it can be read matters
    except ValueError:
        return None


def stated(value: str, formats: str) -> datetime | None:
    """The value in the first format that fits it, with the format's time of day, another, or none: as the ingest."""
    if formats == "auto":
        return None
    for one in formats.split("|"):
        day = one.split(" ")[0]
        for attempt in (one, *(f"{day}{clock}" for clock in _CLOCKS)):
            if found := parsed(value, attempt):
                return found
    return None


def parsed(value: str, date_format: str) -> datetime | None:
    """The value as a time in that strptime format."""
    try:
        return datetime.strptime(value, date_format)  # noqa: DTZ007 - only whether it can be read matters
    except ValueError:
        return None


def _one(value: str) -> list[str]:
    return [value]


def split_period(value: str) -> list[str]:
    """The two ends of a period written ``18/09/2025 - 24/09/2025``, or the value itself when it has only one."""
    return _PERIOD_GLUE.split(value, maxsplit=1)


def _has_fraction(value: str, number_format: NumberFormat) -> bool:
    return _SCIENTIFIC.fullmatch(value) is None and _FRACTION[number_format].search(value) is not None


def _is_ornament(char: str) -> bool:
    return char.isalpha() or char.isspace() or char in "()%*'#" or unicodedata.category(char) == "Sc"
