"""The rehearsal against the loader, row by row: random files of a shop, synced in any order, each rehearsed before."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from datasync.exceptions import QuarantineRefused
from datasync.fields import Domain
from datasync.ingest.load.read_only import read_only
from datasync.ingest.load.samples import LOADED, MOST_SAMPLES, SampleRow
from datasync.ingest.pipeline import ingest
from datasync.ingest.plan import Plan
from datasync.ingest.rehearse import Rehearsed, rehearse
from datasync.models import CatalogFile, HeaderSet, OrderLine, Platform, QuarantinedRow, Shop
from datasync.remarks import Remark, RemarkCode
from tests.dry_runs import snapshot
from tests.sheets import COLLECTED, ListSheet, Row, make_plan

pytestmark = pytest.mark.django_db(transaction=True)
FIELDS = ("order_id", "line_id", "order_status", "quantity", "profit", "ordered_at", "")
COLUMNS = ("order_status", "quantity", "profit", "ordered_at")


@dataclass
class Desk:
    """Files of one shop: each sync is foretold by a rehearsal, which must be right and leave nothing."""

    ordinal: bool = False
    files: dict[int, CatalogFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Platform.objects.create(code="shopee", name="Shopee")
        self.shop = Shop.objects.create(platform_id="shopee", shop_id="sg")
        self.header = HeaderSet.objects.create(digest="d", headers=list(FIELDS))

    def plan(self, number: int) -> Plan:
        if number not in self.files:
            self.files[number] = CatalogFile.objects.create(
                root="r", storage_name=f"{number}.csv", original_name="x", size=1, modified_at=COLLECTED,
                sha256=str(number), content_sha256="",
            )  # fmt: skip
        return make_plan(
            Domain.ORDERS, FIELDS, identity=("order_id", "line_id"), file_id=self.files[number].pk,
            header_set_id=self.header.pk, shop_id=self.shop.pk, required=("order_id",), ordinal=self.ordinal,
            collected_at=COLLECTED + timedelta(days=number),
        )  # fmt: skip

    def sync(self, number: int, rows: Sequence[Row], *, size: int = 1000, strictly: bool = False) -> Rehearsed:
        plan, before = self.plan(number), snapshot()
        stored = facts()
        with read_only():
            rehearsed = rehearse(sheet=ListSheet(FIELDS, rows, size=size), plan=plan, allow_quarantine=not strictly)
        assert snapshot() == before
        given: dict[str, Any] = {"item_id": None, "template_id": None, "before_commit": lambda _: None}
        try:
            result = ingest(sheet=ListSheet(FIELDS, rows, size=size), plan=plan, allow_quarantine=not strictly, **given)
        except QuarantineRefused as error:
            if rehearsed.refused is None or rehearsed.refused.params != error.params or snapshot() != before:
                raise
            return rehearsed
        assert (rehearsed.counts, rehearsed.refused) == (result.counts, None)
        assert rehearsed.rejected_by_reason == result.rejected_by_reason
        assert (rehearsed.period, rehearsed.warnings) == (result.period, tuple(result.warnings))
        self._check_samples(rehearsed, stored)
        return rehearsed

    def _check_samples(self, rehearsed: Rehearsed, before: dict[tuple[Any, ...], OrderLine]) -> None:
        """What the samples say was so before and is so now."""
        after = facts()
        counts = rehearsed.counts.as_dict()
        for outcome in LOADED:
            assert len(rehearsed.samples.get(outcome, [])) == min(counts[outcome], MOST_SAMPLES), outcome
        for row in rehearsed.samples.get("inserted", []):
            assert key_of(row) not in before
            assert shown(after[key_of(row)]) == {name: row.values[name] for name in COLUMNS}
        for row in rehearsed.samples.get("updated", []):
            old, new = shown(before[key_of(row)]), shown(after[key_of(row)])
            told = {one.field: (one.stored, one.new) for one in row.differences if one.field in COLUMNS}
            assert told == {name: (old[name], new[name]) for name in COLUMNS if old[name] != new[name]}
        for outcome in ("unchanged", "stale"):
            for row in rehearsed.samples.get(outcome, []):
                assert before[key_of(row)].content_hash == after[key_of(row)].content_hash
        kept = QuarantinedRow.objects.filter(file_id__in=[file.pk for file in self.files.values()])
        known = set(kept.values_list("sheet_row", flat=True))
        assert {row.row for row in rehearsed.rejected} <= known


def key_of(row: SampleRow) -> tuple[Any, ...]:
    return (row.identity["order_id"], row.identity["line_id"], row.identity.get("line_ordinal", 1))


def facts() -> dict[tuple[Any, ...], OrderLine]:
    return {(fact.order_id, fact.line_id, fact.line_ordinal): fact for fact in OrderLine.objects.all()}


def shown(fact: OrderLine) -> dict[str, Any]:
    return {
        "order_status": fact.order_status,
        "quantity": fact.quantity,
        "profit": None if fact.profit is None else f"{fact.profit:.4f}",
        "ordered_at": f"{fact.ordered_at:%Y-%m-%dT%H:%M:%SZ}" if fact.ordered_at else None,
    }


def line(order: str, *, item: str = "1", status: str = "paid", profit: str | None = "1.00", note: str | None = None,
         day: str = "2026-03-02 10:00:00", quantity: str = "1") -> Row:  # fmt: skip
    return (order, item, status, quantity, profit, day, note)


def random_rows(chance: random.Random) -> list[Row]:
    rows: list[Row] = []
    for _ in range(chance.randint(0, 14)):
        kind = chance.random()
        order = f"A{chance.randint(1, 5)}"
        if kind < 0.08:
            rows.append(line(order, day="31/02/2026"))
        elif kind < 0.12:
            rows.append(("合计", None, None, "1", "1.00", None, None))
        else:
            rows.append(
                line(
                    order,
                    item=str(chance.randint(1, 2)),
                    status=chance.choice(("paid", "sent", "done")),
                    profit=chance.choice((None, "1.00", "2.5", "(3)")),
                    note=chance.choice((None, "a", "b")),
                )
            )
    return rows


@pytest.mark.parametrize("seed", range(8))
def test_random_files_in_any_order(seed: int) -> None:
    chance = random.Random(seed)
    desk = Desk(ordinal=seed % 4 == 3)
    contents = {number: random_rows(chance) for number in range(5)}
    for _ in range(14):
        number = chance.choice(list(contents))
        if chance.random() < 0.2:
            contents[number] = random_rows(chance)
        desk.sync(number, contents[number], size=chance.choice((1, 2, 3, 1000)), strictly=chance.random() < 0.2)


@pytest.mark.parametrize("size", [1000, 1])
def test_a_row_that_changes_and_changes_back_inside_a_file(size: int) -> None:
    desk = Desk()
    desk.sync(0, [line("A1")])
    there_and_back = [line("A1"), line("A1", status="sent"), line("A1")]
    assert desk.sync(1, there_and_back, size=size).counts.unchanged == 1
    assert desk.sync(2, [*there_and_back, line("A1", status="done")], size=size).counts.updated == 1


@pytest.mark.parametrize("size", [1000, 1])
def test_a_blank_amount_of_a_later_batch_keeps_that_of_an_earlier_one(size: int) -> None:
    desk = Desk()
    desk.sync(0, [line("A1", profit="1"), line("A2", profit="2")])
    rows = [line("A1", profit="5"), line("A2", profit="6"), line("A1", profit=None, status="sent")]
    rehearsed = desk.sync(1, rows, size=size)
    (first,) = [row for row in rehearsed.samples["updated"] if row.identity["order_id"] == "A1"]
    assert {one.field for one in first.differences} >= {"order_status"}


def test_a_cell_that_no_field_is_bound_to_is_shown_by_its_header() -> None:
    desk = Desk()
    desk.sync(0, [line("A1", note="old")])
    (row,) = desk.sync(1, [line("A1", note="new")]).samples["updated"]
    assert [asdict(one) for one in row.differences] == [
        {"field": "", "header": "extra 6", "stored": "old", "new": "new"}
    ]


def test_no_more_than_so_many_samples_of_an_outcome() -> None:
    desk = Desk()
    rows = [line(f"A{number:03}") for number in range(60)] + [line("B", day="?")] * 30
    rehearsed = desk.sync(0, rows, size=25)
    assert [len(rehearsed.samples["inserted"]), len(rehearsed.rejected)] == [MOST_SAMPLES, MOST_SAMPLES]
    assert [row.sheet_row for row in rehearsed.samples["inserted"]] == list(range(2, 22))


def test_a_file_that_would_be_refused_shows_its_bad_rows() -> None:
    rehearsed = Desk().sync(0, [line("A1"), line("A2", day="?")], strictly=True)
    assert (rehearsed.counts.as_dict()["inserted"], rehearsed.rejected_by_reason) == (0, {"INVALID_DATE": 1})
    assert [row.row for row in rehearsed.rejected] == [3]


def test_a_header_only_file_is_flagged() -> None:
    assert Desk().sync(0, []).warnings == (Remark(RemarkCode.NO_ROWS),)


def test_what_the_file_is_no_longer_to_say_is_shown_as_cleared() -> None:
    desk = Desk()
    desk.sync(0, [line("A1", profit="5")])
    plan = replace(desk.plan(0), fingerprint="other", cleared=frozenset({"profit", "warehouse"}))
    OrderLine.objects.update(warehouse="W1")
    with read_only():
        sheet = ListSheet(FIELDS, [line("A1", profit=None)])
        (row,) = rehearse(sheet=sheet, plan=plan, allow_quarantine=True).samples["updated"]
    assert {one.field: (one.stored, one.new) for one in row.differences if one.field} == {
        "profit": ("5.0000", None), "warehouse": ("W1", None)
    }  # fmt: skip
