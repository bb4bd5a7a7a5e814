"""An order has each of its amounts on one stored line, whatever lines its exports have, in whatever order they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasync.fields import Domain
from datasync.ingest.load.read_only import read_only
from datasync.ingest.pipeline import ingest
from datasync.ingest.plan import Plan
from datasync.ingest.rehearse import rehearse
from datasync.models import CatalogFile, HeaderSet, OrderLine, Platform, Shop
from tests.sheets import COLLECTED, ListSheet, Row, make_plan

pytestmark = pytest.mark.django_db(transaction=True)
FIELDS = ("order_id", "line_id", "order_status", "profit", "buyer_paid")
Content = tuple[str, str | None]
"""Status and profit of a line."""


def line(item: str, profit: str | None = None, *, status: str = "paid", paid: str | None = None, order: str = "A1",
         ) -> Row:  # fmt: skip
    return (order, item, status, profit, paid)


@dataclass
class Desk:
    """Files of one shop, each of which was collected on its own day; every sync is foretold by a rehearsal."""

    every: bool = False
    files: dict[int, CatalogFile] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.platform = Platform.objects.create(code=f"market{Platform.objects.count()}", name="m")
        self.shop = Shop.objects.create(platform=self.platform, shop_id="sg")
        self.header, _ = HeaderSet.objects.get_or_create(digest="d", defaults={"headers": list(FIELDS)})

    def plan(self, day: int, *, file: int | None = None) -> Plan:
        """The plan of a file, which is made where it is new."""
        number = day if file is None else file
        if number not in self.files:
            self.files[number] = CatalogFile.objects.create(
                root="r", storage_name=f"{self.platform.code}-{number}.csv", original_name="x", size=1,
                modified_at=COLLECTED, sha256=f"{self.platform.code}-{number}", content_sha256="",
            )  # fmt: skip
        plan = make_plan(
            Domain.ORDERS, FIELDS, identity=("order_id", "line_id"), file_id=self.files[number].pk,
            header_set_id=self.header.pk, shop_id=self.shop.pk, platform=self.platform.code,
            collected_at=COLLECTED + timedelta(days=day),
        )  # fmt: skip
        return replace(plan, totals_on_every_line=self.every)

    def sync(self, day: int, *rows: Row, size: int = 1000, file: int | None = None) -> dict[str, int]:
        plan = self.plan(day, file=file)
        with read_only():
            foretold = rehearse(sheet=ListSheet(FIELDS, rows, size=size), plan=plan, allow_quarantine=True).counts
        result = ingest(
            sheet=ListSheet(FIELDS, rows, size=size), plan=plan, item_id=None, template_id=None,
            allow_quarantine=True, before_commit=lambda _: None,
        )  # fmt: skip
        assert result.counts.balanced
        assert result.counts.as_dict() == foretold.as_dict()
        return {name: count for name, count in result.counts.as_dict().items() if count and name != "read"}

    def stored(self) -> list[tuple[object, ...]]:
        """Every stored value that a sync could change."""
        return list(OrderLine.objects.filter(platform=self.platform).order_by("record_key").values_list())

    def amounts(self, name: str = "profit", order: str = "A1") -> dict[str, Decimal]:
        """Line → the amount that it has."""
        lines = OrderLine.objects.filter(platform=self.platform, order_id=order, **{f"{name}__isnull": False})
        return dict(lines.values_list("line_id", name))

    def again(self, *files: tuple[int, Sequence[Row]]) -> None:
        """Sync files that are known, twice over: nothing may change."""
        before = self.stored()
        for _ in range(2):
            for day, rows in files:
                counts = self.sync(day, *rows)
                assert counts.keys() <= {"unchanged", "stale", "duplicates"}, counts
                assert self.stored() == before


@pytest.mark.parametrize("every", [False, True])
def test_the_line_that_had_the_amount_is_gone_from_the_newer_export(every: bool) -> None:
    desk = Desk(every=every)
    older = [line("1", "50"), line("2", "50" if every else None), line("1", "7", order="A2")]
    newer = [line("2", "60", status="sent"), line("1", "7", order="A2")]
    desk.sync(0, *older)
    assert desk.sync(1, *newer) == {"updated": 1, "unchanged": 1}
    assert desk.amounts() == {"2": 60}
    desk.again((0, older), (1, newer))
    desk.again((1, newer), (0, older))


@pytest.mark.parametrize("every", [False, True])
def test_an_older_export_brings_the_line_that_the_newer_one_lacked(every: bool) -> None:
    desk = Desk(every=every)
    newer = [line("2", "60", status="sent"), line("1", "7", order="A2")]
    older = [line("1", "50"), line("2", "50" if every else None), line("1", "7", order="A2")]
    desk.sync(1, *newer)
    assert desk.sync(0, *older) == {"inserted": 1, "stale": 1, "unchanged": 1}
    assert desk.amounts() == {"2": 60}
    desk.again((0, older), (1, newer))
    desk.again((1, newer), (0, older))


@pytest.mark.parametrize("size", [1000, 1])
@pytest.mark.parametrize("first", ["1", "2"])
def test_an_amount_moves_between_lines_of_different_batches(size: int, first: str) -> None:
    desk = Desk()
    desk.sync(0, line("1", "50"), line("2"))
    moved = [line("1", status="sent"), line("2", "60", status="sent")]
    moved = moved if first == "1" else moved[::-1]
    assert desk.sync(1, *moved, size=size) == {"updated": 2}
    assert desk.amounts() == {"2": 60}
    desk.again((0, [line("1", "50"), line("2")]), (1, moved))


def test_files_of_different_templates_are_told_apart_by_their_time_alone() -> None:
    desk = Desk()
    desk.sync(0, line("1", "50"), line("2"), line("1", "7", order="A2"))
    desk.every = True
    desk.sync(1, line("2", "60"), line("1", "60"), line("1", "7", order="A2"))
    assert desk.amounts() == {"2": 60}


def test_a_line_that_gave_its_amount_up_takes_it_back_from_a_newer_export_that_repeats_it() -> None:
    desk = Desk()
    other = line("1", "7", order="A2")
    desk.sync(0, line("1", "50"), other)
    desk.sync(1, line("2", "60"), other)
    assert desk.amounts() == {"2": 60}
    assert desk.sync(2, line("1", "50"), other) == {"updated": 1, "unchanged": 1}
    assert desk.amounts() == {"1": 50}
    desk.again((1, [line("2", "60"), other]), (0, [line("1", "50"), other]), (2, [line("1", "50"), other]))


def test_each_amount_is_moved_by_itself() -> None:
    desk = Desk()
    other = line("1", "7", order="A2")
    desk.sync(0, line("1", "50", paid="80"), other)
    desk.sync(1, line("2", "60"), other)
    assert desk.amounts() == {"2": Decimal(60)}
    assert desk.amounts("buyer_paid") == {"1": Decimal(80)}


def test_a_blank_keeps_the_amount_that_only_a_stale_row_shows_elsewhere() -> None:
    desk = Desk()
    desk.sync(0, line("1", "50"), line("2"))
    desk.sync(5, line("2", status="done"))
    desk.sync(3, line("1", status="sent"), line("2", "60", status="sent"))
    assert desk.amounts() == {"1": 50}


def test_what_one_file_says_on_several_lines_stands() -> None:
    desk = Desk()
    rows = [line("1", "50"), line("2", "50"), line("3", "50")]
    desk.sync(0, *rows)
    newer = [line("1", "50"), line("2", "55"), line("3", "50")]
    for size in (1, 1000):
        desk.sync(1, *newer, size=size)
        assert desk.amounts() == {"1": 50, "2": 55, "3": 50}


def test_a_new_content_of_the_same_file_moves_the_amount_too() -> None:
    desk = Desk()
    other = line("1", "7", order="A2")
    desk.sync(0, line("1", "50"), other)
    desk.sync(0, line("2", "60"), other)
    assert desk.amounts() == {"2": 60}
    desk.sync(0, line("1", "50"), other)
    assert desk.amounts() == {"1": 50}


def test_a_line_that_only_a_newer_export_repeats_is_confirmed_without_its_amount() -> None:
    desk = Desk()
    other = line("1", "7", order="A2")
    desk.sync(0, line("1", "50"), other)
    desk.sync(5, line("2", "60"), other)
    assert desk.sync(3, line("1", "50"), other) == {"unchanged": 2}
    assert desk.sync(2, line("1", "55", status="lost"), other) == {"stale": 1, "unchanged": 1}


def test_the_same_order_of_another_shop_has_its_own_amounts() -> None:
    desk = Desk()
    desk.sync(0, line("1", "50"), line("2"))
    desk.shop = Shop.objects.create(platform=desk.platform, shop_id="my")
    desk.sync(1, line("1", "70"), line("2", "80"), file=9)
    desk.sync(2, line("1", "70"), line("2", "80", status="sent"), file=9)
    assert OrderLine.objects.filter(profit__isnull=False).count() == 3


@dataclass
class Oracle:
    """The rule in plain words: who has the profit of the order, since when, and what each line says."""

    lines: dict[str, Content] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    """Until when exports have shown the line as it is."""
    amounts: dict[str, str] = field(default_factory=dict)

    def sync(self, day: int, export: dict[str, Content]) -> None:
        taken = {item for item in export if self._takes(item, day, export[item])}
        said = {item for item in taken if export[item][1] is not None}
        for item in said:
            newer = [other for other in self.amounts if other not in said and self.seen[other] > day]
            if newer:
                continue
            profit = export[item][1]
            assert profit is not None
            self.amounts = {item: profit}
        for item, content in export.items():
            if item in taken or self.lines.get(item) == content:
                if item in taken and self.lines.get(item) != content:
                    self.times[item] = day
                    self.lines[item] = content
                self.seen[item] = max(day, self.seen.get(item, day))

    def _takes(self, item: str, day: int, content: Content) -> bool:
        """Whether the line is new, or says something newer; one without an amount that it says is always asked."""
        if item not in self.lines:
            return True
        if self.lines[item] == content:
            given_up = content[1] is not None and item not in self.amounts
            return given_up and self.times[item] <= day and self.seen[item] <= day
        return self.seen[item] <= day


ITEMS = ("1", "2", "3")


@st.composite
def exports(draw: st.DrawFn) -> dict[str, Content]:
    """Some lines of an order; at most one of them has its profit."""
    items = draw(st.lists(st.sampled_from(ITEMS), unique=True, min_size=1))
    carrier = draw(st.sampled_from([None, *items]))
    profit = draw(st.sampled_from(["50", "60"]))
    return {item: (draw(st.sampled_from(["paid", "sent"])), profit if item == carrier else None) for item in items}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.permutations(range(4)), found=st.tuples(*[exports()] * 4), size=st.sampled_from([1, 2, 1000]))
def test_four_exports_of_an_order_in_any_order(
    days: list[int], found: tuple[dict[str, Content], ...], size: int
) -> None:
    desk, oracle = Desk(), Oracle()
    anchor = line("1", "7", order="A2")
    desk.sync(-1, anchor, file=99)
    sheets = {day: [anchor, *(line(item, profit, status=status) for item, (status, profit) in found[day].items())]
              for day in range(4)}  # fmt: skip
    for day in days:
        desk.sync(day, *sheets[day], size=size)
        oracle.sync(day, found[day])
        assert desk.amounts() == {item: Decimal(profit) for item, profit in oracle.amounts.items()}
    desk.again(*sheets.items())


def test_an_export_that_brings_only_new_lines_of_a_stored_order() -> None:
    desk = Desk()
    desk.sync(0, line("1", "50"))
    assert desk.sync(1, line("2", "50")) == {"inserted": 1}
    assert desk.amounts() == {"2": Decimal(50)}
    desk.again((0, [line("1", "50")]), (1, [line("2", "50")]))


def test_an_older_export_that_brings_only_new_lines_of_a_stored_order() -> None:
    desk = Desk()
    desk.sync(1, line("2", "60"))
    assert desk.sync(0, line("1", "50")) == {"inserted": 1}
    assert desk.amounts() == {"2": Decimal(60)}
    desk.again((0, [line("1", "50")]), (1, [line("2", "60")]))


def test_a_later_batch_that_brings_only_new_lines_of_a_stored_order() -> None:
    desk = Desk()
    desk.sync(0, line("1", "50"))
    rows = [line("1", "7", order="A2"), line("2", "60"), line("3", order="A3")]
    assert desk.sync(1, *rows, size=1) == {"inserted": 3}
    assert desk.amounts() == {"2": Decimal(60)}


def test_lines_of_an_order_in_different_batches() -> None:
    desk, other = Desk(), line("1", "7", order="A2")
    desk.sync(-1, other, file=99)
    exports = (
        (0, [other, line("1")]),
        (1, [other, line("1"), line("2", "50"), line("3")]),
        (2, [other, line("3"), line("1", "50")]),
        (3, [other, line("1")]),
    )
    for day, rows in exports:
        desk.sync(day, *rows, size=1)
    desk.again(*exports)


def test_a_file_that_was_collected_earlier_after_all_confirms_nothing_later() -> None:
    desk = Desk()
    desk.sync(0, line("1", "50"), file=0)
    desk.sync(9, line("1", "50"), file=0)
    desk.sync(0, line("1", "50"), file=0)
    assert desk.sync(1, line("1", "60"), file=5) == {"updated": 1}
