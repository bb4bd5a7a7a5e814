"""Dates and times from text.

A template states the format. ``auto`` tries every reading and keeps the one that falls inside the file's period; when
several do, the cell is ambiguous and never guessed. What a spreadsheet itself stores (ISO text from real date cells,
serial numbers) can be read one way only and is always understood.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from datetime import timezone as timezone_of
from functools import lru_cache
from itertools import permutations
from zoneinfo import ZoneInfo

import polars as pl

from datasync.exceptions import InvalidTimezone
from datasync.ingest.prepare.cells import Errors, one_by_one, plain
from datasync.reasons import Reason

_ISO = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
_EARLIEST, _LATEST = datetime(1990, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - local time of the shop
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - day 0 of a spreadsheet's serial numbers, its leap-year error included
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_TEXT = re.compile(
    r"(\d{1,4})[-/.\\年](\d{1,2})[-/.\\月](\d{1,4})日?"
    r"(?:[T \-]+(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?)?\s*(AM|PM)?)?",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?<=:\d\d)(?:\.\d+)?\s*(?:(Z|UTC|GMT)|([+-])(\d{2}):?(\d{2}))$")
_NAMED = ("%d %b %Y %H:%M:%S", "%d %b %Y %H:%M", "%d %b %Y", "%b %d, %Y", "%b %d, %Y %I:%M:%S %p")
Readings = set[datetime]


def _moment(year: int, month: int, day: int, clock: tuple[int, int, int]) -> datetime | None:
    try:
        return datetime(year, month, day, *clock)  # noqa: DTZ001 - local time of the shop
    except ValueError:
        return None


def _years(text: str) -> int:
    return int(text) + (2000 if len(text) <= 2 else 0)


def readings(text: str) -> Readings:
    """Every date and time that ``text`` may mean."""
    said = plain(text)
    if _SERIAL.fullmatch(said):
        return {_EPOCH + timedelta(seconds=round(float(said) * 86400))}
    found = _TEXT.fullmatch(said)
    if found is None:
        return _named(said)
    first, second, third, *clock_parts, half = found.groups()
    clock = tuple(int(part or 0) for part in clock_parts)
    if half:
        clock = (clock[0] % 12 + (12 if half.upper() == "PM" else 0), clock[1], clock[2])
    parts = (first, second, third)
    results: Readings = set()
    for year, month, day in permutations(range(3)):
        if not _possible(parts, year=year, month=month, day=day):
            continue
        moment = _moment(_years(parts[year]), int(parts[month]), int(parts[day]), (clock[0], clock[1], clock[2]))
        if moment is not None:
            results.add(moment)
    return results


def _possible(parts: tuple[str, str, str], *, year: int, month: int, day: int) -> bool:
    """Whether people write dates in this order: the year first or last, four digits always the year."""
    if year == 1 or (year == 0 and month != 1):
        return False
    return len(parts[year]) in (2, 4) and len(parts[month]) <= 2 and len(parts[day]) <= 2


def _named(said: str) -> Readings:
    for pattern in _NAMED:
        try:
            return {datetime.strptime(said, pattern)}  # noqa: DTZ007 - local time of the shop
        except ValueError:
            continue
    return set()


def choose(found: Readings, period: tuple[date | None, date | None]) -> tuple[datetime | None, Reason | None]:
    """The one reading that can be meant, or why there is none."""
    if not found:
        return None, Reason.INVALID_DATE
    found = {moment for moment in found if _EARLIEST <= moment < _LATEST}
    if not found:
        return None, Reason.DATE_OUT_OF_RANGE
    first, last = period
    if len(found) > 1 and first and last:
        inside = {moment for moment in found if first <= moment.date() <= last}
        found = inside or found
    if len(found) > 1:
        return None, Reason.AMBIGUOUS_DATE
    return found.pop(), None


def moments(
    cells: pl.Series, formats: str, period: tuple[date | None, date | None], timezone: str, errors: Errors
) -> pl.Series:
    """Naive local times of ``timezone`` (microseconds). ``formats`` are joined by ``|``, or ``auto``."""
    stated = [part for part in formats.split("|") if part and part != "auto"]
    values = pl.Series(cells.name, [None] * len(cells), dtype=pl.Datetime("us"))
    todo = cells.is_not_null()
    for pattern in dict.fromkeys((*stated, *_ISO)):
        if not todo.any():
            break
        read = _strptime(cells, pattern, timezone)
        sensible = (todo & (read >= _EARLIEST) & (read < _LATEST)).fill_null(value=False)
        values = read.zip_with(sensible, values)
        todo &= ~sensible

    def parse(text: str) -> tuple[str | None, Reason | None]:
        said, offset = _without_offset(plain(text))
        if stated and not _SERIAL.fullmatch(said) and not _year_first(said):
            moment, reason = choose(_stated(said, stated), period)
        else:
            moment, reason = choose(readings(said), period)
        if moment is not None and offset is not None:
            moment = moment.replace(tzinfo=offset).astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
        return (moment.isoformat(" ") if moment else None), reason

    if not todo.any():
        return values
    rest = one_by_one(cells, todo, pl.Series(cells.name, [None] * len(cells), dtype=pl.String), parse, errors)
    return values.zip_with(~todo, rest.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False))


def _strptime(cells: pl.Series, pattern: str, timezone: str) -> pl.Series:
    if "%H" not in pattern and "%I" not in pattern:
        return cells.str.to_date(pattern, strict=False).cast(pl.Datetime("us"))
    read = cells.str.to_datetime(pattern, time_unit="us", strict=False)
    if "%z" in pattern or pattern.endswith(("Z", "UTC")):  # the cell says where its clock stands
        read = read.dt.replace_time_zone("UTC") if "%z" not in pattern else read
        return read.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    return read


def _without_offset(said: str) -> tuple[str, timezone_of | None]:
    """The text without its offset from UTC, and that offset."""
    found = _OFFSET.search(said)
    if found is None:
        return said, None
    minutes = 0 if found[1] else int(found[3]) * 60 + int(found[4])
    return said[: found.start()], timezone_of(timedelta(minutes=-minutes if found[2] == "-" else minutes))


def _year_first(said: str) -> bool:
    """A four-digit year in front can be read one way only."""
    return re.match(r"\d{4}[-/.年]", said) is not None


def _stated(said: str, patterns: list[str]) -> Readings:
    """``said`` in the first of the stated formats that fits, with or without its time of day."""
    for pattern in patterns:
        day = pattern.split(" ")[0]
        for attempt in (pattern, day, f"{day} %H:%M:%S", f"{day} %H:%M", f"{day}-%H:%M", f"{day} %H"):
            try:
                return {datetime.strptime(said, attempt)}  # noqa: DTZ007 - local time of the shop
            except ValueError:
                continue
    return set()


@lru_cache
def check_timezone(name: str) -> None:
    """Raise ``InvalidTimezone`` unless both Python and polars know the zone."""
    try:
        ZoneInfo(name)
        pl.Series([_EPOCH]).dt.replace_time_zone(name)
    except (KeyError, ValueError, OSError, pl.exceptions.PolarsError) as error:
        raise InvalidTimezone(timezone=name) from error


def to_utc(values: pl.Series, timezone: str, errors: Errors) -> pl.Series:
    """Local times of the shop as UTC text. A time that clocks jumped over is marked; a doubled one is the first."""
    if timezone == "UTC":
        return values.dt.strftime("%Y-%m-%d %H:%M:%S")
    known = values.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    errors.add(values.is_not_null() & known.is_null(), Reason.NONEXISTENT_TIME)
    return known.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%d %H:%M:%S")


_HOUR = re.compile(r"(\d{1,2})(?::\d{2}){0,2}(?:\s*[-~]\s*\d{1,2}(?::\d{2}){0,2})?")


def hours(
    cells: pl.Series, formats: str, period: tuple[date | None, date | None], timezone: str, errors: Errors
) -> tuple[pl.Series, pl.Series]:
    """The hour, 0–23, of ``0``, ``07:00-08:00`` or ``23/09/2025 07:00``, and the day where the cell says it."""
    bare = cells.str.contains(f"^{_HOUR.pattern}$").fill_null(value=False)
    moments_said = moments(cells.zip_with(~bare, nothing(cells)), formats, period, timezone, errors)

    def parse(text: str) -> tuple[int | None, Reason | None]:
        found = _HOUR.fullmatch(plain(text))
        hour = int(found[1]) if found else 24
        return (hour, None) if hour < 24 else (None, Reason.INVALID_DATE)

    values = one_by_one(cells, bare, moments_said.dt.hour().cast(pl.Int64), parse, errors)
    return values, moments_said.dt.date()


def nothing(cells: pl.Series) -> pl.Series:
    """As many blank cells."""
    return pl.Series(cells.name, [None], dtype=pl.String).new_from_index(0, len(cells))


_SHORTEST_RANGE = 17


def may_hold_ranges(cells: pl.Series) -> bool:
    """Whether any cell says two days."""
    long = cells.filter((cells.str.len_chars() >= _SHORTEST_RANGE).fill_null(value=False)).unique()
    return any(split_range(text) is not None for text in long.to_list())


def split_range(text: str) -> tuple[str, str] | None:
    """The two halves of ``18/09/2025 - 24/09/2025``, ``14-04-2026-18-04-2026`` or ``a~b``; None for a single date."""
    said = plain(text)
    for separator in ("~", "～", " - ", " – ", " to ", "至", "—"):
        head, found, tail = said.partition(separator)
        if found and head and tail:
            return head.strip(), tail.strip()
    half = len(said) // 2
    if len(said) < _SHORTEST_RANGE or said[half : half + 1] not in ("-", "–"):
        return None
    if _TEXT.fullmatch(said[:half]) and _TEXT.fullmatch(said[half + 1 :]):
        return said[:half], said[half + 1 :]
    return None


def periods(
    cells: pl.Series, formats: str, period: tuple[date | None, date | None], timezone: str, errors: Errors
) -> tuple[pl.Series, pl.Series]:
    """First and last day of each range; a single date is both."""
    halves = {text: split_range(text) or (text, text) for text in cells.drop_nulls().unique().to_list()}
    ends: list[pl.Series] = []
    for end in (0, 1):
        texts = pl.Series(cells.name, [halves[text][end] if text is not None else None for text in cells.to_list()],
                          dtype=pl.String)  # fmt: skip
        days = "|".join(part.split(" ")[0] for part in formats.split("|"))
        ends.append(moments(texts, days, period, timezone, errors).cast(pl.Date))
    errors.add((ends[1] < ends[0]).fill_null(value=False), Reason.INVALID_DATE)
    return ends[0], ends[1]
