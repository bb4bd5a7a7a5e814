"""The raw values of cells as the texts that the rest of the ingest works on, kind by kind and column-wise.

Whole numbers stand without ``.0``, other numbers in the shortest form that gives the same number, those shown as
percentages a hundredfold and with the sign (0.0548 is ``5.48%``), days as
``YYYY-MM-DD``, moments as ``YYYY-MM-DD HH:MM:SS`` to the nearest second, times as ``HH:MM:SS``, truth values as
``TRUE`` and ``FALSE``.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import polars as pl

from datasync.exceptions import CorruptFile
from datasync.ingest.read.cell_kinds import CellKind
from datasync.ingest.read.xml_text import unescape
from datasync.reasons import Reason

PLAIN_NUMBER = r"^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{0,14}[1-9])?$"
DECIMAL = r"^(-?)([0-9]+)(?:\.([0-9]+))?$"
EXACT_DIGITS_LIMIT = 1e15  # Excel keeps fifteen digits: a longer whole number is already another one
DAY_SECONDS = 86_400
DAYS_1900 = 25_569  # from 1899-12-30 to 1970-01-01
DAYS_1904 = 24_107
LAST_DAY = 2_958_466  # 10000-01-01
FALSE_LEAP_DAY = 60  # Excel believes in 1900-02-29
ISO_MOMENT = r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z?$"

Cells = pl.DataFrame  # i, col, kind, value


def cell_texts(cells: Cells, strings: pl.Series, *, date_1904: bool, references: bool) -> tuple[Cells, Cells]:
    """Cells with ``value`` made readable, and the problems among them: ``i``, ``col``, ``value``, ``reason``."""
    done: list[Cells] = []
    problems: list[Cells] = []
    for (number,), group in cells.partition_by("kind", as_dict=True).items():
        kind = CellKind(int(str(number)))
        done.append(group.with_columns(_texts(group["value"], kind, strings, date_1904, references).alias("value")))
        if (found := _problems(group, kind)) is not None:
            problems.append(found)
    empty = cells.clear().select("i", "col", "value", pl.lit("").alias("reason"))
    return (pl.concat(done) if done else cells), pl.concat([empty, *problems])


def _texts(raw: pl.Series, kind: CellKind, strings: pl.Series, date_1904: bool, references: bool) -> pl.Series:
    match kind:
        case CellKind.SHARED:
            texts = _shared(raw, strings)
        case CellKind.TEXT:
            texts = unescape(raw, references=references)
        case CellKind.BOOLEAN:
            texts = raw.is_in(["1", "true"]).replace_strict({True: "TRUE", False: "FALSE"}, return_dtype=pl.String)
        case CellKind.ERROR | CellKind.FORMULA:
            texts = pl.Series([None], dtype=pl.String).new_from_index(0, len(raw))
        case CellKind.ISO:
            texts = raw.str.replace(ISO_MOMENT, "$1 $2")
        case CellKind.NUMBER:
            texts = number_texts(raw)
        case CellKind.PERCENT:
            texts = percent_texts(number_texts(raw))
        case _:
            texts = serial_texts(raw, kind, date_1904=date_1904)
    return texts


def _problems(group: Cells, kind: CellKind) -> Cells | None:
    if kind in (CellKind.NUMBER, CellKind.PERCENT):
        # Fewer characters cannot write that many digits, except with an exponent
        long = group.filter((pl.col("value").str.len_bytes() > 15) | pl.col("value").str.contains("[eE]"))
        found = long.filter(pl.col("value").cast(pl.Float64, strict=False).abs() >= EXACT_DIGITS_LIMIT)
        reason = Reason.PRECISION_LOST
    elif kind is CellKind.ERROR:
        found, reason = group, Reason.CELL_ERROR
    elif kind is CellKind.FORMULA:
        found, reason = group.with_columns(pl.lit("").alias("value")), Reason.FORMULA_WITHOUT_VALUE
    else:
        return None
    return found.select("i", "col", "value", pl.lit(reason.value).alias("reason"))


def _shared(raw: pl.Series, strings: pl.Series) -> pl.Series:
    places = raw.cast(pl.UInt32, strict=False)
    largest = places.max()
    if places.null_count() or (isinstance(largest, int) and largest >= len(strings)):
        raise CorruptFile(found="a cell refers to a shared text that does not exist")
    return strings.gather(places)


def number_texts(raw: pl.Series) -> pl.Series:
    """Number literals of the file in their plain form; what is none, or beyond any, stays as it is."""
    odd = ~raw.str.contains(PLAIN_NUMBER)
    places = odd.arg_true()
    if not len(places):
        return raw
    literal = raw.gather(places)
    number = literal.str.strip_chars().cast(pl.Float64, strict=False)
    whole = number.cast(pl.Int64, strict=False)
    is_whole = (whole.cast(pl.Float64) == number) & (number.abs() < EXACT_DIGITS_LIMIT * 1000)
    text = whole.cast(pl.String).zip_with(is_whole.fill_null(value=False), number.cast(pl.String))
    return raw.scatter(places, text.zip_with(number.is_finite().fill_null(value=False), literal))


def percent_texts(numbers: pl.Series) -> pl.Series:
    """Plain numbers a hundredfold, by moving the point in their digits, so that nothing is rounded."""
    parts = numbers.str.extract_groups(DECIMAL).struct.unnest()
    sign, whole, fraction = pl.col("1"), pl.col("2"), pl.col("3").fill_null("")
    shifted = pl.concat_str(whole, fraction.str.pad_end(2, "0").str.head(2)).str.strip_chars_start("0")
    shifted = pl.when(shifted == "").then(pl.lit("0")).otherwise(shifted)
    rest = fraction.str.slice(2)
    rest = pl.when(rest == "").then(pl.lit("")).otherwise(pl.concat_str(pl.lit("."), rest))
    texts = parts.select(pl.concat_str(sign, shifted, rest, pl.lit("%")).alias("value"))["value"]
    odd = texts.is_null().arg_true()
    return texts.scatter(odd, [_percent(number) for number in numbers.gather(odd)]) if len(odd) else texts


def _percent(number: str) -> str:
    """One number with an exponent; what is no number stays as it is."""
    try:
        return format(Decimal(number).scaleb(2), "f") + "%"
    except InvalidOperation:
        return number


def serial_texts(raw: pl.Series, kind: CellKind, *, date_1904: bool) -> pl.Series:
    """Serial numbers as days, moments, times or durations; a number that is none of these stays a number."""
    frame = pl.DataFrame({"raw": number_texts(raw), "serial": raw.cast(pl.Float64, strict=False)})
    serial = pl.col("serial")
    seconds = (serial.clip(0, LAST_DAY) * DAY_SECONDS).round().cast(pl.Int64, strict=False)
    if kind is CellKind.DURATION:
        clock = pl.format("{}:{}", (seconds // 3600).cast(pl.String).str.zfill(2), _clock(seconds % 3600, "%M:%S"))
        shown = pl.when(serial.is_between(0, LAST_DAY)).then(clock).otherwise(pl.col("raw"))
    else:
        is_day = serial.is_between(0 if date_1904 else 1, LAST_DAY, closed="left")
        shown = pl.when(is_day).then(_moment(seconds, kind, date_1904)).otherwise(pl.col("raw"))
        is_time = serial.is_between(0, 1, closed="left")
        if kind is not CellKind.DATE and frame.select(is_time.any()).item():
            shown = (
                pl.when(is_time).then(_clock(seconds.clip(upper_bound=DAY_SECONDS - 1), "%H:%M:%S")).otherwise(shown)
            )
    return frame.select(shown.alias("value"))["value"]


def _clock(seconds: pl.Expr, form: str) -> pl.Expr:
    return pl.from_epoch(seconds).dt.strftime(form)


def _moment(seconds: pl.Expr, kind: CellKind, date_1904: bool) -> pl.Expr:
    day = seconds // DAY_SECONDS
    if date_1904:
        unix = seconds - DAYS_1904 * DAY_SECONDS
    else:
        unix = seconds - (DAYS_1900 - (day < FALSE_LEAP_DAY).cast(pl.Int64)) * DAY_SECONDS
    date = _clock(unix, "%Y-%m-%d")
    if not date_1904:
        date = pl.when(day == FALSE_LEAP_DAY).then(pl.lit("1900-02-29")).otherwise(date)
    full = pl.format("{} {}", date, _clock(unix % DAY_SECONDS, "%H:%M:%S"))
    if kind is CellKind.DATE:
        return pl.when(seconds % DAY_SECONDS == 0).then(date).otherwise(full)
    return full
