"""Loading: one set of tests for both databases; the session's database decides which loader runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import polars as pl
import pytest

from datasync.exceptions import FencedOut, QuarantineRefused
from datasync.fields import Domain
from datasync.ingest.load.confirmed import Confirmed
from datasync.ingest.pipeline import IngestResult, ingest
from datasync.ingest.plan import Plan
from datasync.models import CatalogFile, ConfirmedRows, HeaderSet, OrderLine, Platform, QuarantinedRow, Shop
from datasync.remarks import Remark, RemarkCode
from tests.sheets import COLLECTED, ListSheet, Row, make_plan

pytestmark = pytest.mark.django_db(transaction=True)
FIELDS = ("order_id", "line_id", "order_status", "quantity", "profit", "ordered_at", "")


class Desk:
    """Files of one shop, synced one after the other."""

    def __init__(self) -> None:
        Platform.objects.create(code="shopee", name="Shopee")
        self.shop = Shop.objects.create(platform_id="shopee", shop_id="sg")
        self.header = HeaderSet.objects.create(digest="d", headers=list(FIELDS))
        self.files = 0
        self.every = False  # totals on every line

    def file(self) -> CatalogFile:
        self.files += 1
        return CatalogFile.objects.create(root="r", storage_name=f"{self.files}.csv", original_name="x", size=1,
                                          modified_at=COLLECTED, sha256=str(self.files), content_sha256="")  # fmt: skip

    def plan(self, file: CatalogFile, **options: Any) -> Plan:
        plan = make_plan(Domain.ORDERS, FIELDS, identity=("order_id", "line_id"), file_id=file.pk,
                         header_set_id=self.header.pk, shop_id=self.shop.pk, required=("order_id",),
                         **options)  # fmt: skip
        return replace(plan, totals_on_every_line=self.every)

    def sync(self, rows: Sequence[Row], *, file: CatalogFile | None = None, collected: datetime = COLLECTED,
             size: int = 1000, allow_quarantine: bool = True, before_commit: Any = lambda result: None,
             ) -> IngestResult:  # fmt: skip
        file = file or self.file()
        result = ingest(
            sheet=ListSheet(FIELDS, rows, size=size),
            plan=self.plan(file, collected_at=collected),
            item_id=None,
            template_id=None,
            allow_quarantine=allow_quarantine,
            before_commit=before_commit,
        )
        assert result.counts.balanced
        return result


@pytest.fixture
def desk() -> Desk:
    return Desk()


def line(order: str, *, status: str = "paid", profit: str | None = "1.00", note: str | None = None, item: str = "1",
         day: str = "2026-03-02 10:00:00") -> Row:  # fmt: skip
    return (order, item, status, "1", profit, day, note)


def said(result: IngestResult) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: count for name, count in result.counts.as_dict().items() if count}


def statuses() -> dict[str, str | None]:
    return {str(fact.order_id): fact.order_status for fact in OrderLine.objects.all()}


def test_first_again_and_changed(desk: Desk) -> None:
    file = desk.file()
    rows = [line(f"A{n}") for n in range(10)]
    assert said(desk.sync(rows, file=file)) == {"read": 10, "inserted": 10}
    assert said(desk.sync(rows, file=file)) == {"read": 10, "unchanged": 10}
    rows[3] = line("A3", status="sent")
    assert said(desk.sync(rows, file=file)) == {"read": 10, "unchanged": 9, "updated": 1}
    assert statuses()["A3"] == "sent"


def test_values_arrive_typed_and_whole(desk: Desk) -> None:
    file = desk.file()
    tricky = 'tab\t "quote" \\N \\ back\nline 中文 😀'
    desk.sync([(" A1 ", "1", tricky, "1,200", "(12.50)", "2026-03-02 10:00:00", "kept")], file=file)
    fact = OrderLine.objects.get()
    assert (fact.order_id, fact.order_status, fact.quantity, fact.profit) == ("A1", tricky, 1200, Decimal("-12.50"))
    assert fact.ordered_at.isoformat() == "2026-03-02T02:00:00+00:00"
    assert json.loads(fact.raw) == ["A1", "1", tricky, "1,200", "(12.50)", "2026-03-02 10:00:00", "kept"]
    assert (fact.platform_id, fact.shop_id, fact.currency, fact.granularity) == (
        "shopee", desk.shop.pk, "SGD", "daily")  # fmt: skip
    assert (fact.file_first_id, fact.file_last_id, fact.sheet_row) == (file.pk, file.pk, 2)
    assert (str(fact.period_start), fact.collected_at) == ("2026-03-02", COLLECTED)


@pytest.mark.parametrize("size", [1000, 2, 1])
def test_one_key_twice_in_a_file_is_loaded_once_and_the_last_wins(desk: Desk, size: int) -> None:
    file = desk.file()
    rows = [line("A1", status="paid"), line("A2"), line("A1", status="sent"), line("A3"), line("A1", status="done")]
    assert said(desk.sync(rows, file=file, size=size)) == {"read": 5, "inserted": 3, "duplicates": 2}
    assert statuses() == {"A1": "done", "A2": "paid", "A3": "paid"}
    assert said(desk.sync(rows, file=file, size=size)) == {"read": 5, "unchanged": 3, "duplicates": 2}
    assert statuses()["A1"] == "done"


@pytest.mark.parametrize("size", [1000, 1])
def test_a_repeated_key_that_ends_changed_counts_as_updated(desk: Desk, size: int) -> None:
    desk.sync([line("A1", status="paid")])
    rows = [line("A1", status="paid"), line("A1", status="done")]
    assert said(desk.sync(rows, size=size)) == {"read": 2, "updated": 1, "duplicates": 1}
    assert statuses() == {"A1": "done"}


def test_an_older_file_does_not_overwrite_a_newer_one(desk: Desk) -> None:
    desk.sync([line("A1", status="done"), line("A2")])
    older = desk.sync([line("A1", status="paid"), line("A2")], collected=COLLECTED - timedelta(days=1))
    assert said(older) == {"read": 2, "stale": 1, "unchanged": 1}
    assert statuses()["A1"] == "done"


def test_what_a_newer_file_confirmed_is_not_overwritten_by_one_in_between(desk: Desk) -> None:
    days = [COLLECTED + timedelta(days=day) for day in range(3)]
    desk.sync([line("A1", status="paid"), line("A2")], collected=days[0])
    desk.sync([line("A1", status="paid")], collected=days[2])
    between = desk.sync([line("A1", status="lost"), line("A2", status="lost")], collected=days[1])
    assert said(between) == {"read": 2, "stale": 1, "updated": 1}
    assert statuses() == {"A1": "paid", "A2": "lost"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0, 1), (2, 0, 2, 1), (0, 2, 1, 0)])
def test_growing_exports_in_any_order_end_as_the_last_one_says(desk: Desk, order: tuple[int, ...]) -> None:
    exports = [
        [line("A1", status="paid", day="2026-03-01")],
        [line("A1", status="sent", day="2026-03-01"), line("A2", day="2026-03-02")],
        [line("A1", status="paid", day="2026-03-01"), line("A2", status="done", day="2026-03-02")],
    ]
    files = [desk.file() for _ in exports]
    for number in order:
        desk.sync(exports[number], file=files[number], collected=COLLECTED + timedelta(days=number))
    assert statuses() == {"A1": "paid", "A2": "done"}


def test_a_blank_amount_does_not_erase_a_known_one(desk: Desk) -> None:
    desk.sync([line("A1", profit="7.50")])
    changed = desk.sync([line("A1", profit=None, status="done")], collected=COLLECTED + timedelta(days=1))
    assert said(changed) == {"read": 1, "updated": 1}
    assert OrderLine.objects.get().profit == Decimal("7.50")
    assert statuses() == {"A1": "done"}


def profits() -> dict[tuple[str, str], Decimal | None]:
    return {(str(fact.order_id), str(fact.line_id)): fact.profit for fact in OrderLine.objects.all()}


@pytest.mark.parametrize("size", [1000, 3, 2])
def test_an_amount_that_moves_to_another_line_of_its_order_is_there_once(desk: Desk, size: int) -> None:
    desk.sync([line("A1", item="1", profit="5"), line("A1", item="2", profit=None), line("A2", profit="7")])
    moved = [line("A1", item="2", profit="5"), line("A1", item="1", profit=None), line("A2", profit=None)]
    moved.append(line("A3", profit="9"))
    later = COLLECTED + timedelta(days=1)
    assert said(desk.sync(moved, collected=later, size=size)) == {"read": 4, "updated": 3, "inserted": 1}
    assert profits() == {("A1", "1"): None, ("A1", "2"): 5, ("A2", "1"): 7, ("A3", "1"): 9}


def test_a_new_line_that_has_the_amount_takes_it_from_a_known_one(desk: Desk) -> None:
    desk.sync([line("A1", item="1", profit="5"), line("A1", item="2", profit=None)])
    rows = [line("A1", item="3", profit="6"), line("A1", item="1", profit=None), line("A1", item="2", profit=None)]
    assert said(desk.sync(rows, collected=COLLECTED + timedelta(days=1))) == {
        "read": 3, "inserted": 1, "updated": 1, "unchanged": 1}  # fmt: skip
    assert profits() == {("A1", "1"): None, ("A1", "2"): None, ("A1", "3"): 6}


def test_a_known_amount_stays_where_no_line_of_the_order_has_it_now(desk: Desk) -> None:
    desk.sync([line("A1", item="1", profit="5"), line("A1", item="2", profit=None)])
    rows = [line("A1", item="2", profit=None, status="done"), line("A1", item="1", profit=None, status="done")]
    desk.sync(rows, collected=COLLECTED + timedelta(days=1))
    assert profits() == {("A1", "1"): 5, ("A1", "2"): None}


@pytest.mark.parametrize("status", ["paid", "done"])
def test_totals_on_every_line_stay_one_when_the_lines_change_order(desk: Desk, status: str) -> None:
    desk.every = True
    desk.sync([line("A1", item="1", profit="30"), line("A1", item="2", profit="30")])
    rows = [line("A1", item="2", profit="30", status=status), line("A1", item="1", profit="30")]
    desk.sync(rows, collected=COLLECTED + timedelta(days=1))
    assert profits() == {("A1", "1"): None, ("A1", "2"): 30}


def test_cells_at_the_edge_of_what_the_columns_hold(desk: Desk) -> None:
    rows = [line("A1", profit="9999999999999990.1"), line("A2", profit="9999999999999999.9"), line("A3")]
    assert said(desk.sync(rows)) == {"read": 3, "inserted": 2, "quarantined": 1}
    assert QuarantinedRow.objects.get().reasons[0]["code"] == "NUMBER_OUT_OF_RANGE"
    assert [fact.profit is not None for fact in OrderLine.objects.all()] == [True, True]


def test_what_another_shop_has_confirmed_is_not_asked(desk: Desk) -> None:
    days = [COLLECTED + timedelta(days=day) for day in range(3)]
    desk.sync([line("A1", status="paid")], collected=days[0])
    desk.sync([line("A1", status="paid")], collected=days[2])
    confirmed = ConfirmedRows.objects.get()
    assert confirmed.shop == desk.shop
    plan = desk.plan(desk.file(), collected_at=days[1])
    keys = pl.Series([bytes(confirmed.keys).hex(), "0" * 32])
    assert Confirmed(plan, using="default").holds(keys).to_list() == [True, False]
    assert Confirmed(replace(plan, scope=replace(plan.scope, shop_id=None)), using="default").holds(keys).any()
    desk.shop = Shop.objects.create(platform_id="shopee", shop_id="my")
    assert not Confirmed(desk.plan(desk.file(), collected_at=days[1]), using="default").holds(keys).any()


def test_first_and_last_file_of_a_fact(desk: Desk) -> None:
    first, second = desk.file(), desk.file()
    desk.sync([line("A1")], file=first)
    desk.sync([line("A1", status="done")], file=second)
    fact = OrderLine.objects.get()
    assert (fact.file_first_id, fact.file_last_id) == (first.pk, second.pk)
    assert fact.created_at < fact.updated_at


def test_refused_rows_are_kept_and_replaced_by_the_next_sync(desk: Desk) -> None:
    file = desk.file()
    bad = line("A2", day="31/02/2026")
    assert said(desk.sync([line("A1"), bad], file=file)) == {"read": 2, "inserted": 1, "quarantined": 1}
    row = QuarantinedRow.objects.get()
    assert (row.sheet_row, row.reasons) == (
        3, [{"header": "ordered_at", "code": "INVALID_DATE", "value": "31/02/2026"}])  # fmt: skip
    assert row.values == list(bad)
    desk.sync([line("A1"), bad, bad], file=file)
    assert QuarantinedRow.objects.count() == 2


@pytest.mark.parametrize("size", [1000, 1])
def test_a_file_with_refused_rows_can_be_refused_whole(desk: Desk, size: int) -> None:
    with pytest.raises(QuarantineRefused) as caught:
        desk.sync([line("A1"), line("A2", day="?"), line("A3")], allow_quarantine=False, size=size)
    assert caught.value.params == {"count": 1}
    assert not OrderLine.objects.exists()
    assert not QuarantinedRow.objects.exists()


@pytest.mark.parametrize("size", [1000, 1])
def test_who_is_fenced_out_before_the_commit_leaves_nothing(desk: Desk, size: int) -> None:
    def fenced(result: IngestResult) -> None:
        raise FencedOut

    with pytest.raises(FencedOut):
        desk.sync([line("A1"), line("A2", day="?")], before_commit=fenced, size=size)
    assert not OrderLine.objects.exists()
    assert not QuarantinedRow.objects.exists()


def test_a_sheet_without_rows_is_flagged(desk: Desk) -> None:
    result = desk.sync([])
    assert (said(result), result.warnings, result.period) == ({}, [Remark(RemarkCode.NO_ROWS)], (None, None))


def test_two_shops_do_not_share_rows(desk: Desk) -> None:
    desk.sync([line("A1")])
    desk.shop = Shop.objects.create(platform_id="shopee", shop_id="my")
    assert said(desk.sync([line("A1")])) == {"read": 1, "inserted": 1}


def test_totals_are_counted_not_loaded(desk: Desk) -> None:
    result = desk.sync([line("A1"), ("合计", None, None, "1", "1.00", None, None)])
    assert said(result) == {"read": 2, "inserted": 1, "totals": 1}


def test_a_fact_keeps_its_row_in_the_first_file_that_brought_it(desk: Desk) -> None:
    desk.sync([line("A0"), line("A1")])
    desk.sync([line("A1", status="done")], collected=COLLECTED + timedelta(days=1))
    fact = OrderLine.objects.get(order_id="A1")
    assert (fact.first_sheet_row, fact.sheet_row) == (3, 2)


def test_filled_text_with_a_tab_arrives_in_lines_whose_own_cells_are_plain(desk: Desk) -> None:
    rows: list[Row] = [("A1", "1", "a\tb\\", "1", "1", None, None)]
    rows += [(None, str(number), None, "1", None, None, None) for number in range(2, 4_500)]
    desk.sync(rows)
    assert OrderLine.objects.filter(order_status="a\tb\\").count() == len(rows)


def apart(*rows: Row) -> list[Row]:
    """Rows that do not stay together in small batches, as the lines of one order do: new orders stand between them."""
    return [row for pair in ((row, line(f"{uuid4()}")) for row in rows) for row in pair]


def ends(result: IngestResult) -> dict[str, int]:
    """What became of the rows that ``apart`` was given."""
    return {name: count for name, count in said(result).items() if name not in {"read", "inserted", "duplicates"}}


@pytest.mark.parametrize("size", [1000, 2, 1])
@pytest.mark.parametrize("newer", ["stored", "confirmed"])
@pytest.mark.parametrize(
    ("brought", "end"),
    [
        (["paid", "lost"], {"stale": 1}),
        (["lost", "paid"], {"unchanged": 1}),
        (["paid", "lost", "paid"], {"unchanged": 1}),
        (["lost", "paid", "sent"], {"stale": 1}),
    ],
)
def test_a_repeated_key_does_not_overwrite_what_is_newer(
    desk: Desk, size: int, newer: str, brought: list[str], end: dict[str, int]
) -> None:
    days = [COLLECTED + timedelta(days=day) for day in range(3)]
    desk.sync([line("A1", status="paid")], collected=days[2] if newer == "stored" else days[0])
    if newer == "confirmed":
        desk.sync([line("A1", status="paid")], collected=days[2])
    rows = apart(*(line("A1", status=status) for status in brought))
    assert ends(desk.sync(rows, collected=days[1], size=size)) == end
    assert statuses()["A1"] == "paid"


@pytest.mark.parametrize("size", [1000, 2, 1])
def test_a_repeated_key_counts_as_what_it_is_in_the_end(desk: Desk, size: int) -> None:
    desk.sync([line("A1", status="paid")])
    for brought, end in ((["sent", "paid", "done"], {"updated": 1}), (["paid", "done"], {"unchanged": 1})):
        result = desk.sync(apart(*(line("A1", status=status) for status in brought)), size=size)
        assert ends(result) == end
        assert result.counts.duplicates == len(brought) - 1
    assert statuses()["A1"] == "done"


def test_a_row_that_comes_back_blank_is_not_called_unchanged(desk: Desk) -> None:
    desk.sync([line("A1", profit=None)])
    rows = apart(line("A1", profit=None), line("A1", profit="5"), line("A1", profit=None))
    assert ends(desk.sync(rows, size=1)) == {"updated": 1}
    assert OrderLine.objects.get(order_id="A1").profit == 5
    rows = apart(line("A1", profit=None, status="sent"), line("A1", profit=None))
    assert ends(desk.sync(rows, size=1)) == {"unchanged": 1}
