"""Cells of every kind, as real exports write them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import polars as pl
import pytest

from datasync.ingest.plan import NumberFormat
from datasync.ingest.prepare import dates, numbers, text
from datasync.ingest.prepare.cells import Errors, strip, without_nulls
from datasync.reasons import Reason

DOT, COMMA = NumberFormat.DOT, NumberFormat.COMMA
NO_PERIOD = (None, None)
MARCH = (date(2026, 3, 1), date(2026, 3, 31))


def reason_of(errors: Errors) -> Reason | None:
    return errors.masks[0][1] if errors.masks else None


@pytest.mark.parametrize(
    ("said", "number_format", "number"),
    [
        ("1203.60", DOT, "1203.60"),
        ("1,203.60", DOT, "1203.60"),
        ("1.203,60", COMMA, "1203.60"),
        ("36.776.556", COMMA, "36776556"),
        ("16.500", DOT, "16.5"),
        ("16.500", COMMA, "16500"),
        ("(12.50)", DOT, "-12.50"),
        ("-12.50", DOT, "-12.50"),
        ("12.50-", DOT, "-12.50"),
        ("RM 1,203.60", DOT, "1203.60"),
        ("R$ 10,00", COMMA, "10"),
        ("-R$ 10,00", COMMA, "-10"),
        ("₱1,000", DOT, "1000"),
        ("฿ 20", DOT, "20"),
        ("Rp 15.000", COMMA, "15000"),
        ("₫250.000", COMMA, "250000"),
        ("S$5.5", DOT, "5.5"),
        ("￥１２", DOT, "12"),
        ("SGD 7", DOT, "7"),
        ("7 元", DOT, "7"),
        ("1e3", DOT, "1000"),
        ("999999999999999.99994", DOT, "999999999999999.9999"),
        ("9,999,999,999,999,990.00005", DOT, "9999999999999990.0001"),
        ("RMB 7", DOT, "7"),
        ("7 MYR", DOT, "7"),
        ("Rp. 15.000", COMMA, "15000"),
        ("250.000đ", COMMA, "250000"),
        ("MX$7", DOT, "7"),
    ],
)
def test_an_amount(said: str, number_format: NumberFormat, number: str) -> None:
    errors = Errors()
    values = numbers.amounts(pl.Series("x", [said]), number_format, errors)
    assert reason_of(errors) is None
    assert Decimal(values[0]) == Decimal(number)


@pytest.mark.parametrize(
    ("said", "number_format", "reason"),
    [
        ("abc", DOT, Reason.INVALID_NUMBER),
        ("1.234,56", DOT, Reason.INVALID_NUMBER),
        ("1,5", DOT, Reason.INVALID_NUMBER),
        ("12,34,5", DOT, Reason.INVALID_NUMBER),
        ("16.50", COMMA, Reason.INVALID_NUMBER),
        ("NaN", DOT, Reason.INVALID_NUMBER),
        ("Infinity", DOT, Reason.INVALID_NUMBER),
        ("inf", DOT, Reason.INVALID_NUMBER),
        ("1e400", DOT, Reason.NUMBER_OUT_OF_RANGE),
        ("99999999999999999999", DOT, Reason.NUMBER_OUT_OF_RANGE),
        ("9999999999999999.99999", DOT, Reason.NUMBER_OUT_OF_RANGE),
        ("-9.999.999.999.999.999,99995", COMMA, Reason.NUMBER_OUT_OF_RANGE),
        ("9999999999999999.99995", DOT, Reason.NUMBER_OUT_OF_RANGE),
        ("Mar 12", DOT, Reason.INVALID_NUMBER),
        ("SKU12", DOT, Reason.INVALID_NUMBER),
        ("12 pcs", DOT, Reason.INVALID_NUMBER),
        ("12 all", DOT, Reason.INVALID_NUMBER),
        ("5%", DOT, Reason.INVALID_NUMBER),
        ("2026-03-06", DOT, Reason.INVALID_NUMBER),
    ],
)
def test_no_amount(said: str, number_format: NumberFormat, reason: Reason) -> None:
    errors = Errors()
    values = numbers.amounts(pl.Series("x", ["1", said, None]), number_format, errors)
    assert errors.masks[0][0].to_list() == [False, True, False]
    assert reason_of(errors) is reason
    assert values.to_list() == ["1", None, None]


@pytest.mark.parametrize(("said", "number"), [("12", 12), ("12.0", 12), ("1,203", 1203), ("-3", -3), ("１２", 12)])
def test_a_whole_number(said: str, number: int) -> None:
    errors = Errors()
    assert numbers.integers(pl.Series("x", [said]), DOT, errors).to_list() == [number]
    assert reason_of(errors) is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [("12.5", Reason.INVALID_INTEGER), ("x", Reason.INVALID_INTEGER), ("1e30", Reason.NUMBER_OUT_OF_RANGE)],
)
def test_no_whole_number(said: str, reason: Reason) -> None:
    errors = Errors()
    assert numbers.integers(pl.Series("x", [said]), DOT, errors).to_list() == [None]
    assert reason_of(errors) is reason


@pytest.mark.parametrize(
    ("said", "number_format", "in_percent", "share"),
    [
        ("12.5%", DOT, False, "0.125"),
        ("5,48%", COMMA, False, "0.0548"),
        ("0.1234", DOT, False, "0.1234"),
        ("98.5", DOT, True, "0.985"),
        ("98.5%", DOT, True, "0.985"),
        ("1,250.00%", DOT, False, "12.5"),
        ("0.00%", DOT, False, "0"),
    ],
)
def test_a_share(said: str, number_format: NumberFormat, in_percent: bool, share: str) -> None:
    errors = Errors()
    values = numbers.shares(pl.Series("x", [said]), number_format, errors, in_percent=in_percent)
    assert Decimal(values[0]) == Decimal(share)
    assert reason_of(errors) is None


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("00:01:23", "83"), ("2:05", "125"), ("1分23秒", "83"), ("1h 2m 3s", "3723"), ("85.5", "85.5"), ("3 phút", "180")],
)
def test_a_duration(said: str, seconds: str) -> None:
    errors = Errors()
    assert Decimal(numbers.durations(pl.Series("x", [said]), DOT, errors)[0]) == Decimal(seconds)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("99999999999999:00:00", Reason.NUMBER_OUT_OF_RANGE),
        ("99999999999.9996", Reason.NUMBER_OUT_OF_RANGE),
        ("100000000000", Reason.NUMBER_OUT_OF_RANGE),
        ("99999999 days", Reason.NUMBER_OUT_OF_RANGE),
        ("soon", Reason.INVALID_DURATION),
    ],
)
def test_no_duration(said: str, reason: Reason) -> None:
    errors = Errors()
    assert numbers.durations(pl.Series("x", [said]), DOT, errors).to_list() == [None]
    assert reason_of(errors) is reason


@pytest.mark.parametrize(
    ("said", "in_percent"),
    [("99999999.9999999", False), ("99999999999%", False), ("9999999999.99999", True), ("100000000", False)],
)
def test_no_share(said: str, in_percent: bool) -> None:
    errors = Errors()
    assert numbers.shares(pl.Series("x", [said]), DOT, errors, in_percent=in_percent).to_list() == [None]
    assert reason_of(errors) is Reason.NUMBER_OUT_OF_RANGE


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("260306DRVKC6W4", "260306DRVKC6W4"),
        ("00123", "00123"),
        ("2.7984946015E10", "27984946015"),
        ("5.76460752E+8", "576460752"),
        ("4.030000064E10", "40300000640"),
        ('="00123"', "00123"),
        ("'00123", "00123"),
        ("1E2", "1E2"),
        ("1729384756102938475", "1729384756102938475"),
    ],
)
def test_an_identifier(said: str, known: str) -> None:
    errors = Errors()
    assert text.identifiers(pl.Series("x", [said]), errors).to_list() == [known]
    assert reason_of(errors) is None


@pytest.mark.parametrize("said", ["1.23457E+17", "1.72938475610294E+18", "2.79E10"])
def test_an_identifier_that_lost_digits(said: str) -> None:
    errors = Errors()
    assert text.identifiers(pl.Series("x", [said]), errors).to_list() == [None]
    assert reason_of(errors) is Reason.PRECISION_LOST


@pytest.mark.parametrize(
    ("said", "formats", "moment"),
    [
        ("2026-03-06 13:16:50", "auto", datetime(2026, 3, 6, 13, 16, 50)),
        ("23/09/2025 00:00", "%d/%m/%Y %H:%M", datetime(2025, 9, 23)),
        ("23/09/2025 00:00", "auto", datetime(2025, 9, 23)),
        ("03/12/2026", "%d/%m/%Y", datetime(2026, 12, 3)),
        ("03/12/2026", "%m/%d/%Y", datetime(2026, 3, 12)),
        ("2026-03-12", "%d/%m/%Y", datetime(2026, 3, 12)),
        ("2025-09-25 0", "auto", datetime(2025, 9, 25)),
        ("2025-09-25-10:23", "auto", datetime(2025, 9, 25, 10, 23)),
        ("2026年3月6日", "auto", datetime(2026, 3, 6)),
        ("45923", "auto", datetime(2025, 9, 23)),
        ("45923.5", "%d/%m/%Y", datetime(2025, 9, 23, 12)),
        ("31/07/2026 8:29:25 PM", "auto", datetime(2026, 7, 31, 20, 29, 25)),
        ("2026-01-05 02:00:00 +0000", "auto", datetime(2026, 1, 5, 10)),
        ("2026-01-05T02:00:00Z", "auto", datetime(2026, 1, 5, 10)),
        ("2026-01-05 02:00:00 UTC", "%Y-%m-%d %H:%M:%S UTC", datetime(2026, 1, 5, 10)),
        ("2026-01-05 10:00:00 +0800", "%Y-%m-%d %H:%M:%S %z", datetime(2026, 1, 5, 10)),
    ],
)
def test_a_date(said: str, formats: str, moment: datetime) -> None:
    errors = Errors()
    values = dates.moments(pl.Series("x", [said, None]), formats, NO_PERIOD, "Asia/Shanghai", errors)
    assert reason_of(errors) is None
    assert values.to_list() == [moment, None]


@pytest.mark.parametrize(
    ("said", "formats", "period", "reason"),
    [
        ("31/02/2026", "auto", NO_PERIOD, Reason.INVALID_DATE),
        ("31/02/2026", "%d/%m/%Y", NO_PERIOD, Reason.INVALID_DATE),
        ("03/12/2026", "auto", NO_PERIOD, Reason.AMBIGUOUS_DATE),
        ("03/04/2026", "auto", (date(2026, 1, 1), date(2026, 12, 31)), Reason.AMBIGUOUS_DATE),
        ("19\\9\\25", "auto", NO_PERIOD, Reason.AMBIGUOUS_DATE),
        ("soon", "auto", NO_PERIOD, Reason.INVALID_DATE),
        ("0001-01-01", "auto", NO_PERIOD, Reason.DATE_OUT_OF_RANGE),
        ("9999-12-31", "auto", NO_PERIOD, Reason.DATE_OUT_OF_RANGE),
        ("31/12/1989", "%d/%m/%Y", NO_PERIOD, Reason.DATE_OUT_OF_RANGE),
        ("2100-01-01 00:00:00", "%Y-%m-%d %H:%M:%S", NO_PERIOD, Reason.DATE_OUT_OF_RANGE),
        ("99999", "auto", NO_PERIOD, Reason.DATE_OUT_OF_RANGE),
    ],
)
def test_no_date(said: str, formats: str, period: tuple[date | None, date | None], reason: Reason) -> None:
    errors = Errors()
    values = dates.moments(pl.Series("x", [said]), formats, period, "UTC", errors)
    assert values.to_list() == [None]
    assert reason_of(errors) is reason


def test_the_period_decides_between_two_readings() -> None:
    errors = Errors()
    values = dates.moments(pl.Series("x", ["03/12/2026", "12/03/2026"]), "auto", MARCH, "UTC", errors)
    assert values.to_list() == [datetime(2026, 3, 12), datetime(2026, 3, 12)]
    two_digits = dates.moments(
        pl.Series("x", ["19\\9\\25"]), "auto", (date(2025, 9, 1), date(2025, 9, 30)), "UTC", errors
    )
    assert two_digits.to_list() == [datetime(2025, 9, 19)]
    assert not errors.masks


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("18/09/2025 - 24/09/2025", date(2025, 9, 18), date(2025, 9, 24)),
        ("14-04-2026-18-04-2026", date(2026, 4, 14), date(2026, 4, 18)),
        ("2025-08-25 17:01~2025-08-26 11:02", date(2025, 8, 25), date(2025, 8, 26)),
        ("2025-08-25", date(2025, 8, 25), date(2025, 8, 25)),
    ],
)
def test_a_period(said: str, first: date, last: date) -> None:
    errors = Errors()
    starts, ends = dates.periods(pl.Series("x", [said]), "auto", NO_PERIOD, "UTC", errors)
    assert (starts[0], ends[0]) == (first, last)
    assert not errors.masks


def test_local_times_become_utc_and_a_skipped_hour_is_marked() -> None:
    local = pl.Series("x", [datetime(2026, 3, 6, 13), datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 2, 30)])
    errors = Errors()
    utc = dates.to_utc(local, "Europe/Berlin", errors)
    assert utc.to_list() == ["2026-03-06 12:00:00", None, "2026-10-25 00:30:00"]
    assert errors.masks[0][0].to_list() == [False, True, False]
    assert reason_of(errors) is Reason.NONEXISTENT_TIME


def test_hours() -> None:
    errors = Errors()
    said = ["0", "07:00", "2025-09-25 23", "10:00-11:00", "14/01/2026 00:00", "15-01-2026 05:00", "24", "noon"]
    hours, days = dates.hours(pl.Series("x", said), "auto", NO_PERIOD, "UTC", errors)
    assert hours.to_list() == [0, 7, 23, 10, 0, 5, None, None]
    assert days.to_list() == [None, None, date(2025, 9, 25), None, date(2026, 1, 14), date(2026, 1, 15), None, None]
    assert sum(mask.sum() for mask, _ in errors.masks) == 2


def test_cells_are_stripped_and_words_for_nothing_are_null() -> None:
    frame = pl.DataFrame({"c0": ["  a\t", "\u200bb\u202e", "-", "N/A", "暂无数据", "", None, "A-1"]})
    stripped = strip(frame, ["c0"])
    assert stripped["c0"].to_list() == ["a", "b", "-", "N/A", "暂无数据", "", None, "A-1"]
    assert without_nulls(stripped, ["c0"])["c0"].to_list() == ["a", "b", None, None, None, None, None, "A-1"]


@pytest.mark.parametrize(("said", "code"), [("RMB", "CNY"), ("RM", "MYR"), ("usd", "USD"), ("R$", "BRL")])
def test_a_currency(said: str, code: str) -> None:
    errors = Errors()
    assert text.currencies(pl.Series("x", [said]), errors).to_list() == [code]


@pytest.mark.parametrize("said", ["XYZ", "yes", "12"])
def test_no_currency(said: str) -> None:
    errors = Errors()
    assert text.currencies(pl.Series("x", [said]), errors).to_list() == [None]
    assert reason_of(errors) is Reason.INVALID_CURRENCY
