"""Each row that cannot be trusted ends in quarantine with its reason and its row, and the good rows around it load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasync.choices import FileState, TaskState
from datasync.mapping.services import load_builtin_templates
from datasync.models import Shop
from tests.order_exports import NAME, End, line, sheet_xml, shop_folder, sync, text, write_sheet
from tests.runs_support import bell

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
BEFORE = [line(f"G{number}") for number in range(3)]
AFTER = line("G9")
BAD_ROW = 5
CONSEQUENCES = {("Order Creation Date", "REQUIRED_MISSING")}
"""A cell that cannot be read, or a line that cannot be cut into cells, leaves a required one without a value."""
PRICE, ORDERED, RECIPIENT = "Deal Price", "Order Creation Date", "Recipient"


@pytest.fixture
def inbox(tmp_path: Path, settings: Any) -> Path:
    """A shop's folder in a root of its own, with the built-in templates loaded."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return shop_folder(tmp_path)


def check(end: End, header: str, code: str) -> None:
    assert list(end.reasons) == [BAD_ROW]
    assert end.reasons[BAD_ROW] - CONSEQUENCES == {(header, code)}
    assert end.orders == {"G0", "G1", "G2", "G9"}
    assert (end.task.state, end.task.rows_read, end.task.rows_quarantined) == (TaskState.PARTIAL, 5, 1)
    assert end.file.state == FileState.PARTIAL


@pytest.mark.parametrize(
    ("bad", "header", "code"),
    [
        (line("B", sku="S\0U"), "SKU Reference No.", "INVALID_CHARACTER"),
        (line("B", recipient="y" * 131_073), RECIPIENT, "FIELD_TOO_LONG"),
        (line("B")[:-2], "", "WRONG_COLUMN_COUNT"),
        ([*line("B"), "surplus"], "", "WRONG_COLUMN_COUNT"),
        (line("B", variation='"Red'), "", "WRONG_COLUMN_COUNT"),
        (line("B", price="NaN"), PRICE, "INVALID_NUMBER"),
        (line("B", price="Infinity"), PRICE, "INVALID_NUMBER"),
        (line("B", price="1e400"), PRICE, "NUMBER_OUT_OF_RANGE"),
        (line("B", price="1.234;56"), PRICE, "INVALID_NUMBER"),
        (line("B", date="06/03/26 13:16"), ORDERED, "INVALID_DATE"),
        (line("B", date="2026-02-31 10:00"), ORDERED, "INVALID_DATE"),
        (line("B", date="31/02/2026 10:00"), ORDERED, "INVALID_DATE"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_line_of_text(bad: list[str], header: str, code: str, inbox: Path) -> None:
    closed = line("G9", variation='"Red"') if '"Red' in bad else AFTER
    check(sync(inbox / f"{NAME}.csv", text([*BEFORE, bad, closed]).encode()), header, code)


def test_mixed_encodings_with_their_byte_offset(inbox: Path) -> None:
    good = [line(f"G{number}", variation="红色 连衣裙") for number in range(3)]
    before = text(good).encode() + "B,完成".encode()
    data = before + "订单".encode("gb18030") + ("," + ",".join(line("B")[2:]) + "\n").encode()
    end = sync(inbox / f"{NAME}.csv", data + ",".join(AFTER).encode())
    check(end, "Order Status", "UNDECODABLE_BYTES")
    assert f"byte {len(before)}" in {reason["value"] for reason in end.file.quarantined.get().reasons}


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        (PRICE, "<c @><f>A1</f></c>", "FORMULA_WITHOUT_VALUE"),
        (PRICE, '<c @ t="e"><f>A1</f><v>#REF!</v></c>', "CELL_ERROR"),
        (ORDERED, '<c @ t="e"><v>#N/A</v></c>', "CELL_ERROR"),
        ("Order ID", "<c @><v>5784812345678901234</v></c>", "PRECISION_LOST"),
        (RECIPIENT, '<c @ t="str"><v>a_xD83D_b</v></c>', "INVALID_CHARACTER"),
        (RECIPIENT, '<c @ t="str"><v>a_x0000_b</v></c>', "INVALID_CHARACTER"),
        (PRICE, "<c @><v>1E400</v></c>", "NUMBER_OUT_OF_RANGE"),
    ],
    ids=lambda value: None if "@" in value else value,
)
def test_a_cell_of_a_workbook(column: str, cell: str, code: str, inbox: Path) -> None:
    rows = sheet_xml([*BEFORE, line("B"), AFTER], bad={column: cell})
    end = sync(inbox / f"{NAME}.xlsx", write_sheet(rows))
    check(end, column, code)


def test_a_time_that_the_clock_change_skips(inbox: Path) -> None:
    Shop.objects.create(platform_id="shopee", shop_id="shopee_ana_us", timezone="America/New_York", currency="USD")
    folder = shop_folder(inbox.parents[1] / "us", "shopee_ana_us")
    end = sync(folder / f"{NAME}.csv", text([*BEFORE, line("B", date="2026-03-08 02:30"), AFTER]).encode())
    check(end, ORDERED, "NONEXISTENT_TIME")
