"""What the ingest reads as a date is no contradiction of a template: the two are held side by side."""

from __future__ import annotations

import polars as pl
import pytest

from datasync.fields import Kind
from datasync.ingest.plan import NumberFormat
from datasync.ingest.prepare.cells import Errors
from datasync.ingest.prepare.dates import moments
from datasync.mapping.match import Outcome, match
from datasync.mapping.template_file import parse_templates
from datasync.mapping.values import reader

FORMATS = ("%d/%m/%Y %H:%M:%S", "%d-%m-%Y", "%m/%d/%Y %I:%M %p|%d.%m.%Y")
YEAR_FIRST = (
    "2026-03-15", "2026-03-15 10:00", "2026-03-15 10:00:05", "2026-03-15T10:00:05", "2026-03-15T10:00:05Z",
    "2026-03-15 10:00:05.123", "2026-03-15T10:00:05+08:00", "2026/3/15", "2026/03/15 9:05", "2026年3月15日", "46096.5",
)  # fmt: skip
STATED = {
    FORMATS[0]: ("15/03/2026 10:00:05", "15/03/2026", "15/03/2026 10:00"),
    FORMATS[1]: ("15-03-2026", "15-03-2026 10:00:05"),
    FORMATS[2]: ("03/15/2026 10:00 PM", "03/15/2026", "15.03.2026 07:30"),
}
UNREADABLE = ("2026-02-31", "2026-15-03", "2026-03-15 25:00:00", "March", "12.50", "2026", "31/02/2026")


def ingest_reads(value: str, formats: str) -> bool:
    cells = pl.Series("c", [value])
    return moments(cells, formats, (None, None), "UTC", Errors())[0] is not None


@pytest.mark.parametrize("formats", FORMATS)
def test_the_match_and_the_ingest_agree(formats: str) -> None:
    reads = reader(Kind.DATETIME, formats, NumberFormat.DOT)
    for value in (*YEAR_FIRST, *STATED[formats]):
        assert (value, ingest_reads(value, formats), reads(value)) == (value, True, True)
    for value in UNREADABLE:
        assert (value, ingest_reads(value, formats), reads(value)) == (value, False, False)


@pytest.mark.parametrize("value", ["2026-03-15", "2026-03-15 10:00", "2026/3/15", "15/03/2026"])
def test_plain_dates_where_the_template_states_another_format_are_no_changed_header(value: str) -> None:
    (template,) = parse_templates(
        '[family]\nplatform = "p"\ndomain = "orders"\ngranularities = ["daily"]\n\n[[variants]]\n'
        'identity = ["order_id"]\nordinal = true\ncolumns = [\n'
        '  { header = "Order", field = "order_id", required = true },\n'
        '  { header = "Created", field = "ordered_at", format = "%d/%m/%Y %H:%M:%S" },\n]\n'
    )
    rows = [[f"A{number}", value] for number in range(6)]
    assert match(["Order", "Created"], [template], sample_rows=rows).outcome is Outcome.EXACT
