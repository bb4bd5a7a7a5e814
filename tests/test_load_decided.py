"""What people have decided on rows of a file holds at its next sync, and what they have corrected stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from datasync.choices import FileState, ItemState, QuarantineState, TaskKind
from datasync.exceptions import QuarantineRefused
from datasync.fields import Domain
from datasync.ingest.load.outcome import file_state
from datasync.ingest.pipeline import IngestResult, ingest
from datasync.ingest.plan import Counts, Plan
from datasync.models import (
    CatalogFile,
    HeaderSet,
    OrderLine,
    Platform,
    QuarantinedRow,
    Shop,
    SyncProgressTask,
    SyncTaskFile,
)
from datasync.runs.finish import outcome
from tests.sheets import COLLECTED, ListSheet, Row, make_plan

pytestmark = pytest.mark.django_db(transaction=True)
FIELDS = ("order_id", "sku", "ordered_at", "buyer_name", "profit")
SIZES = pytest.mark.parametrize("size", [1000, 2, 1])
DAY, NO_DAY = "2026-03-02 10:00:00", "31/02/2026"


class Desk:
    """One file of one shop, synced again and again."""

    def __init__(self) -> None:
        Platform.objects.create(code="shopee", name="Shopee")
        shop = Shop.objects.create(platform_id="shopee", shop_id="sg")
        header = HeaderSet.objects.create(digest="d", headers=list(FIELDS))
        file = CatalogFile.objects.create(root="r", storage_name="1.csv", original_name="x", size=1,
                                          modified_at=COLLECTED, sha256="1", content_sha256="content")  # fmt: skip
        self.plan: Plan = make_plan(Domain.ORDERS, FIELDS, identity=("order_id", "sku"), required=("order_id",),
                                    ordinal=True, file_id=file.pk, header_set_id=header.pk,
                                    shop_id=shop.pk)  # fmt: skip

    def sync(self, rows: Sequence[Row], *, size: int = 1000, **options: Any) -> IngestResult:
        said = {"item_id": None, "template_id": None, "allow_quarantine": True, "before_commit": lambda result: None}
        result = ingest(sheet=ListSheet(FIELDS, rows, size=size), plan=self.plan, **{**said, **options})
        assert result.counts.balanced
        return result


@pytest.fixture
def desk() -> Desk:
    return Desk()


def decide(sheet_row: int, state: QuarantineState) -> None:
    QuarantinedRow.objects.filter(sheet_row=sheet_row, state=QuarantineState.OPEN).update(state=state)


def item_of(file_id: int) -> SyncTaskFile:
    """A sync of the file as it is."""
    task = SyncProgressTask.objects.create(kind=TaskKind.SINGLE, task_id=uuid4().hex, celery_task_id=uuid4().hex)
    return SyncTaskFile.objects.create(task=task, file_id=file_id, state=ItemState.COMPLETED, file_sha256="content")


def facts() -> list[tuple[Any, ...]]:
    columns = ("sheet_row", "order_id", "sku", "line_ordinal", "buyer_name", "profit", "record_key", "content_hash")
    return sorted(OrderLine.objects.values_list(*columns))


ROWS: list[Row] = [
    ("A1", "S1", NO_DAY, "Ana", "5"),
    (None, "S1", None, None, None),
    ("A2", "S1", NO_DAY, "Bob", "7\x00"),
    ("A3", "S1", DAY, "Cy", "1"),
    ("A3", "S1", NO_DAY, "Cy", None),
    ("A3", "S1", DAY, "Cy", None),
]


@SIZES
def test_a_sync_after_decisions_changes_nothing(desk: Desk, size: int) -> None:
    first = desk.sync(ROWS, size=size)
    assert (first.counts.inserted, first.counts.quarantined) == (2, 4)
    before = facts()
    assert [fact[3] for fact in before] == [1, 3]
    decide(2, QuarantineState.RELEASED)
    decide(4, QuarantineState.DISCARDED)
    decide(6, QuarantineState.RELEASED)
    waiting = set(QuarantinedRow.objects.values_list("sheet_row", "state"))
    for _ in range(2):
        result = desk.sync(ROWS, size=size)
        assert result.counts == Counts(read=6, unchanged=4, quarantined=2)
        assert result.discarded == 1
        assert facts() == before
        assert set(QuarantinedRow.objects.values_list("sheet_row", "state")) == waiting


def test_a_line_is_filled_from_one_that_was_decided_on(desk: Desk) -> None:
    rows = [("A1", "S1", DAY, "Ana", "x"), (None, "S2", None, None, None)]
    desk.sync(rows)
    decide(2, QuarantineState.DISCARDED)
    desk.sync(rows)
    assert OrderLine.objects.get().buyer_name == "Ana"
    assert OrderLine.objects.get().context == f'{{"f":{{"0":"A1","2":"{DAY}","3":"Ana"}}}}'


@pytest.mark.parametrize("state", [QuarantineState.RELEASED, QuarantineState.DISCARDED])
def test_other_content_in_the_same_row_is_judged_anew(desk: Desk, state: QuarantineState) -> None:
    bad = ("A1", "S1", NO_DAY, "Ana", "5")
    desk.sync([bad])
    decide(2, state)
    assert desk.sync([("A1", "S1", DAY, "Ana", "5")]).counts == Counts(read=1, inserted=1)
    assert desk.sync([("A1", "S1", "30/02/2026", "Ana", "5")]).counts == Counts(read=1, quarantined=1)
    assert QuarantinedRow.objects.filter(state=QuarantineState.OPEN).count() == 1
    assert desk.sync([("A0", "S1", DAY, "Ana", "5"), bad]).counts == Counts(read=2, inserted=1, quarantined=1)


def test_the_last_decision_on_the_same_cells_counts(desk: Desk) -> None:
    bad = ("A1", "S1", NO_DAY, "Ana", "5")
    desk.sync([bad])
    decide(2, QuarantineState.DISCARDED)
    row = QuarantinedRow.objects.get()
    row.pk, row.state = None, QuarantineState.RELEASED
    row.save()
    result = desk.sync([bad])
    assert (result.counts, result.discarded) == (Counts(read=1, unchanged=1), 0)


def test_only_undecided_rows_stop_a_strict_sync(desk: Desk) -> None:
    rows = [("A1", "S1", NO_DAY, "Ana", "5")]
    with pytest.raises(QuarantineRefused):
        desk.sync(rows, allow_quarantine=False)
    desk.sync(rows)
    decide(2, QuarantineState.DISCARDED)
    assert desk.sync(rows, allow_quarantine=False).rejected_by_reason == {}


@SIZES
def test_a_correction_stays_with_its_row(desk: Desk, size: int) -> None:
    desk.sync(ROWS, size=size)
    corrected = {"2": "2026-03-03"}
    QuarantinedRow.objects.filter(sheet_row__in=(2, 4)).update(corrected=corrected, state=QuarantineState.CORRECTED)
    moved = [("A1", "S1", "30/02/2026", "Ana", "5"), *ROWS[1:]]
    desk.sync(moved, size=size)
    kept = QuarantinedRow.objects.values_list("sheet_row", "state", "corrected")
    assert sorted(kept)[:3] == [
        (2, QuarantineState.OPEN, None),
        (3, QuarantineState.OPEN, None),
        (4, QuarantineState.CORRECTED, corrected),
    ]


def test_refused_rows_keep_what_they_had_from_around_them(desk: Desk) -> None:
    desk.plan = replace(desk.plan, totals_on_every_line=True)
    rows = [("A1", "S1", DAY, "Ana", "5"), (None, "S1", None, None, "x"), (None, "S9", "?", None, "5")]
    desk.sync(rows)
    first, second = QuarantinedRow.objects.order_by("sheet_row").values_list("context", flat=True)
    assert first is not None
    assert first.startswith(f'{{"f":{{"0":"A1","2":"{DAY}","3":"Ana"}},"l":1,"o":2,"i":"')
    assert second is None


@pytest.mark.parametrize(
    ("counts", "discarded", "state"),
    [
        (Counts(read=1, inserted=1), 0, FileState.INGESTED),
        (Counts(read=2, inserted=1, quarantined=1), 0, FileState.PARTIAL),
        (Counts(read=2, quarantined=2), 1, FileState.QUARANTINED),
        (Counts(read=2, unchanged=1, quarantined=1), 1, FileState.INGESTED),
        (Counts(read=2, quarantined=2), 2, FileState.INGESTED),
    ],
)
def test_a_file_stands_by_the_rows_that_wait_for_a_decision(counts: Counts, discarded: int, state: FileState) -> None:
    item = ItemState.COMPLETED if state is FileState.INGESTED else ItemState.PARTIAL
    assert file_state(counts, discarded=discarded) == state
    assert outcome(counts, discarded=discarded) == (item, state)


@SIZES
def test_a_row_above_a_released_one_of_the_same_key_stays_a_duplicate(desk: Desk, size: int) -> None:
    desk.plan = replace(desk.plan, ordinal=False)
    rows = [("A1", "S1", DAY, "Ana", "5"), ("A2", "S1", DAY, "Bob", "5"), ("?", "S1", NO_DAY, "Ana", "6")]
    item = item_of(desk.plan.file_id)
    desk.sync(rows, size=size, item_id=item.pk)
    first = OrderLine.objects.get(order_id="A1")
    decide(4, QuarantineState.RELEASED)
    QuarantinedRow.objects.update(record_key=first.record_key)
    OrderLine.objects.filter(pk=first.pk).update(content_hash=uuid4(), buyer_name="as released", sheet_row=4)
    assert desk.sync(rows, size=size).counts == Counts(read=3, unchanged=2, duplicates=1)
    assert OrderLine.objects.get(order_id="A1").buyer_name == "as released"
    CatalogFile.objects.update(content_sha256="replaced")
    assert desk.sync(rows[:2], size=size).counts == Counts(read=2, unchanged=1, updated=1)
