"""Released rows at the next syncs of their file: they go through like any row, from what a person made of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datasync.choices import QuarantineState
from datasync.fields import Domain
from datasync.ingest.plan import CellProblem, Column, Plan
from datasync.models import CatalogFile, OrderLine, QuarantinedRow, Shop
from datasync.reasons import Reason
from tests.decided_rows import DAY, FIELDS, NO_DAY, Desk, decide, facts, release, said
from tests.sheets import COLLECTED, ListSheet, Row

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = pytest.mark.parametrize("size", [1000, 2, 1])


@pytest.fixture
def desk() -> Desk:
    return Desk()


def line(order: str | None, sku: str, *, day: str | None = DAY, buyer: str | None = "Ana", profit: str | None = None
         ) -> Row:  # fmt: skip
    return (order, sku, day, buyer, profit)


def without(plan: Plan, *names: str) -> Plan:
    """A plan that keeps these columns in the original row only."""
    return replace(
        plan,
        columns=tuple(
            Column(position=column.position, header=column.header) if column.field in names else column
            for column in plan.columns
        ),
    )


def lines() -> list[tuple[int, str | None, str | None, int]]:
    return sorted(OrderLine.objects.values_list("sheet_row", "order_id", "sku", "line_ordinal"))


def test_a_fact_that_is_gone_comes_back(desk: Desk) -> None:
    rows = [line("A1", "S1", day=NO_DAY)]
    desk.sync(rows)
    key = release(desk, 2, {2: DAY})
    other = CatalogFile.objects.create(root="r", storage_name="2.csv", original_name="x", size=1,
                                       modified_at=COLLECTED, sha256="2", content_sha256="other")  # fmt: skip
    OrderLine.objects.update(file_last=other)
    OrderLine.objects.filter(file_last=other).delete()
    assert said(desk.sync(rows)) == {"read": 1, "inserted": 1}
    assert OrderLine.objects.get().record_key.hex == key
    assert said(desk.sync(rows)) == {"read": 1, "unchanged": 1}


def test_a_row_of_a_file_that_is_of_another_shop_now_arrives_there(desk: Desk) -> None:
    rows = [line("A1", "S1"), line("A1", "S1", day=NO_DAY), line("A1", "S1")]
    desk.sync(rows)
    release(desk, 3, {2: DAY})
    shop = Shop.objects.create(platform_id="shopee", shop_id="my")
    desk.plan = replace(desk.plan, scope=replace(desk.plan.scope, shop_id=shop.pk))
    assert said(desk.sync(rows)) == {"read": 3, "inserted": 3}
    arrived = OrderLine.objects.filter(shop=shop).order_by("sheet_row").values_list("sheet_row", "line_ordinal")
    assert list(arrived) == [(2, 1), (3, 2), (4, 3)]
    assert said(desk.sync(rows)) == {"read": 3, "unchanged": 3}


@SIZES
def test_a_new_template_types_a_released_row_anew(desk: Desk, size: int) -> None:
    newest = desk.plan
    desk.plan = without(newest, "buyer_name")
    rows = [line("A1", "S1"), line(None, "S2", day=None, buyer=None, profit="?"), line("A2", "S1")]
    desk.sync(rows, size=size)
    release(desk, 3, {4: "2"})
    assert OrderLine.objects.get(sheet_row=3).buyer_name in (None, "")
    desk.plan = newest
    assert said(desk.sync(rows, size=size)) == {"read": 3, "updated": 3}
    assert OrderLine.objects.get(sheet_row=3).buyer_name == "Ana"
    assert said(desk.sync(rows, size=size)) == {"read": 3, "unchanged": 3}


@SIZES
def test_a_released_row_that_the_plan_refuses_waits_again_with_its_corrections(desk: Desk, size: int) -> None:
    newest = replace(desk.plan, fingerprint="newest")
    desk.plan = without(desk.plan, "profit")
    rows = [line("A1", "S1", profit="1"), line("A2", "S2", day=NO_DAY, profit="?")]
    desk.sync(rows, size=size)
    release(desk, 3, {2: DAY})
    desk.plan = newest
    assert said(desk.sync(rows, size=size)) == {"read": 2, "quarantined": 1, "updated": 1}
    waiting = QuarantinedRow.objects.get(state=QuarantineState.CORRECTED)
    assert (waiting.corrected, waiting.values) == ({"2": DAY}, list(rows[1]))
    assert [reason["header"] for reason in waiting.reasons] == ["profit"]
    release(desk, 3, {2: DAY, 4: "7"})
    assert OrderLine.objects.get(sheet_row=3).profit == 7
    assert said(desk.sync(rows, size=size)) == {"read": 2, "unchanged": 2}


@SIZES
def test_a_new_line_of_an_identity_does_not_take_the_number_of_a_released_one(desk: Desk, size: int) -> None:
    rows = [line("A1", "S1"), line("A1", "S9", day=NO_DAY)]
    desk.sync(rows, size=size)
    release(desk, 3, {1: "S1", 2: DAY}, ordinal=2)
    stored = facts()
    rows += [line("A1", "S1", buyer="new"), line("A1", "S9")]
    assert said(desk.sync(rows, size=size)) == {"read": 4, "unchanged": 2, "inserted": 2}
    assert facts()[:2] == stored
    assert lines() == [(2, "A1", "S1", 1), (3, "A1", "S1", 2), (4, "A1", "S1", 3), (5, "A1", "S9", 2)]
    assert said(desk.sync(rows, size=size)) == {"read": 4, "unchanged": 4}


@SIZES
def test_a_line_that_was_moved_to_another_identity_leaves_its_number_to_nobody(desk: Desk, size: int) -> None:
    rows = [line("A1", "S1", day=NO_DAY), line("A1", "S1"), line("A2", "S2", day=NO_DAY), line("A2", "S2"),
            line("A1", "S1")]  # fmt: skip
    desk.sync(rows, size=size)
    release(desk, 2, {0: "A2", 1: "S2", 2: DAY}, ordinal=1)
    decide(4, QuarantineState.DISCARDED)
    stored = facts()
    assert lines() == [(2, "A2", "S2", 1), (3, "A1", "S1", 2), (5, "A2", "S2", 2), (6, "A1", "S1", 3)]
    assert said(desk.sync(rows, size=size)) == {"read": 5, "unchanged": 4, "quarantined": 1}
    assert facts() == stored


@SIZES
def test_a_line_that_is_mended_in_the_file_is_the_released_one(desk: Desk, size: int) -> None:
    rows = [line("A1", "S1", day=NO_DAY), line("A2", "S1")]
    desk.sync(rows, size=size)
    key = release(desk, 2, {2: DAY})
    assert said(desk.sync([line("A1", "S1", buyer="Bea"), rows[1]], size=size)) == {
        "read": 2, "updated": 1, "unchanged": 1}  # fmt: skip
    assert said(desk.sync([line("A0", "S1"), line("A1", "S1"), rows[1]], size=size)) == {
        "read": 3, "inserted": 1, "updated": 1, "unchanged": 1}  # fmt: skip
    assert OrderLine.objects.get(order_id="A1").record_key.hex == key


def test_amounts_are_not_doubled_by_a_line_that_a_new_template_accepts(desk: Desk) -> None:
    newest = replace(desk.plan, totals_on_every_line=True)
    desk.plan = replace(
        newest, columns=tuple(replace(column, required=True) for column in newest.columns)
    )  # a line without a buyer is refused
    rows = [line("A1", sku, buyer=None, profit="5") for sku in ("S1", "S2", "S3")]
    assert said(desk.sync(rows)) == {"read": 3, "quarantined": 3}
    release(desk, 3, {3: "Ana"})
    assert [fact[5] for fact in facts()] == [5]
    desk.plan = newest
    assert said(desk.sync(rows)) == {"read": 3, "inserted": 2, "unchanged": 1}
    assert [(fact[0], fact[5]) for fact in facts()] == [(2, None), (3, 5), (4, None)]
    assert said(desk.sync(rows)) == {"read": 3, "unchanged": 3}


@SIZES
def test_a_carrier_does_not_change_lines_that_have_no_amount(desk: Desk, size: int) -> None:
    desk.plan = replace(desk.plan, totals_on_every_line=True)
    rows = [line("A1", "S1"), line("A1", "S2", day=NO_DAY, profit="5")]
    desk.sync(rows, size=size)
    release(desk, 3, {2: DAY}, carrier=True)
    stored = facts()
    assert said(desk.sync(rows, size=size)) == {"read": 2, "unchanged": 2}
    assert facts() == stored


@SIZES
def test_of_rows_with_one_key_the_last_of_the_sheet_wins(desk: Desk, size: int) -> None:
    desk.plan = replace(desk.plan, ordinal=False)
    rows = [line("A1", "S1"), line("A2", "S1"), line("?", "S1", day=NO_DAY, buyer="released")]
    desk.sync(rows, size=size)
    release(desk, 4, {0: "A1", 2: DAY})
    for _ in range(2):
        assert said(desk.sync(rows, size=size)) == {"read": 3, "unchanged": 2, "duplicates": 1}
        assert OrderLine.objects.get(order_id="A1").buyer_name == "released"
    assert said(desk.sync([*rows, line("A1", "S1", buyer="below")], size=size)) == {
        "read": 4, "unchanged": 1, "updated": 1, "duplicates": 2}  # fmt: skip


def test_what_the_reader_saw_is_settled_by_a_correction_of_the_cell(desk: Desk) -> None:
    problem = CellProblem(2, 4, Reason.CELL_ERROR, "#N/A")
    sheet = ListSheet(FIELDS, [line("A1", "S1", profit="#N/A")], problems=[problem])
    assert said(desk.sync_sheet(sheet)) == {"read": 1, "quarantined": 1}
    release(desk, 2, {4: "7"})
    assert said(desk.sync_sheet(sheet)) == {"read": 1, "unchanged": 1}
    desk.plan = replace(desk.plan, fingerprint="other")
    QuarantinedRow.objects.update(corrected={"3": "Bea"})
    assert said(desk.sync_sheet(sheet)) == {"read": 1, "quarantined": 1}


def test_a_released_row_is_never_taken_for_a_sum(desk: Desk) -> None:
    rows = [line("A1", "S1", profit="5"), line("?", "S1", day=NO_DAY, buyer=None, profit="5")]
    desk.sync(rows)
    release(desk, 3, {0: "A2", 2: DAY})
    assert said(desk.sync(rows)) == {"read": 2, "unchanged": 2}
    assert desk.plan.scope.domain is Domain.ORDERS
