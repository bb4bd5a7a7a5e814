"""Rows that made room for others: where a remap ends before their turn none of them is lost, and nobody reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from datasync.access import EVERYTHING
from datasync.catalog.correct import describe_file
from datasync.catalog.deletion import delete_file
from datasync.choices import FileState, ItemState, QuarantineState, RowsFate, TaskState
from datasync.exceptions import FileBusy
from datasync.facts import selectors
from datasync.facts.filters import Filters as FactFilters
from datasync.models import (
    FIRST_PARKED,
    CatalogFile,
    HeaderTemplate,
    QuarantinedRow,
    Shop,
    SyncProgressTask,
    TrafficMetric,
)
from datasync.quarantine import services as quarantine
from datasync.quarantine.selectors import Filters
from datasync.runs import services
from datasync.runs.remap.services import remap_preview
from tests.remap_dates import RIGHT, SWAPPED, misread, month, one_row_done, parked
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    counts,
    day,
    facts,
    from_scratch,
    inbox,
    remapped,
    sync_again,
    take_turn,
    with_column,
)

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)
NOT_FAILED = with_column("跳出率", field=None)


def _begun(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[CatalogFile, SyncProgressTask, HeaderTemplate]:
    wrong = misread()
    file = month(inbox, 1, SWAPPED)
    new = corrected(wrong, RIGHT)
    return file, one_row_done(monkeypatch, new), new


def _waiting(file: CatalogFile, *, sheet_row: int, first_cell: str) -> QuarantinedRow:
    """A row of another content of the file, as a sync has left it in quarantine."""
    item = file.items.order_by("pk")[0]
    fact = TrafficMetric.objects.filter(file_last=file)[0]
    return QuarantinedRow.objects.create(
        file=file, item=item, template=item.template, header_set=fact.header_set, domain="analytics",
        sheet_row=sheet_row, reasons=[], values=[first_cell, *day("05/05/2026")[1:]], created_at=fact.created_at,
    )  # fmt: skip


def _in_the_view() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sheet_row FROM datasync_trafficmetric_raw ORDER BY sheet_row")
        return [row for (row,) in cursor.fetchall()]


def _views_by_month() -> list[tuple[int, int | None]]:
    rows = TrafficMetric.objects.order_by("metric_date")
    return list(rows.values_list("metric_date__month", "page_views"))


def test_whoever_takes_the_file_over_gives_the_row_its_key(
    inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, task, _ = _begun(inbox, monkeypatch)
    take_turn()
    assert (task.items.get().state, parked()) == (ItemState.COMPLETED, [])
    after = facts()
    assert from_scratch(file) == after


@pytest.mark.parametrize("released", [False, True])
def test_a_remap_that_fails_midway_puts_it_into_quarantine(
    inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch, *, released: bool
) -> None:
    file, task, new = _begun(inbox, monkeypatch)
    assert parked() == [6]
    newest = corrected(new, NOT_FAILED)
    take_turn()
    item = task.items.get()
    assert (item.state, item.error["code"], parked()) == (ItemState.FAILED, "TEMPLATE_REPLACED", [])
    assert counts(item) == {"read": 2, "updated": 1, "quarantined": 1}
    row = QuarantinedRow.objects.get()
    assert (row.sheet_row, row.state, row.item, row.values[0]) == (6, QuarantineState.OPEN, item, "03/04/2026")
    assert [reason["code"] for reason in row.reasons] == ["IDENTITY_CHANGED"]
    file.refresh_from_db()
    assert file.state == FileState.PARTIAL
    if released:
        file.template = newest
        file.save(update_fields=["template"])
        assert quarantine.release(filters=Filters(ids=[row.pk]), actor=None, sight=EVERYTHING).outcomes == {
            "inserted": 1
        }
    sync_again(file)
    after = facts()
    assert len(after["analytics"]) == 3
    assert not QuarantinedRow.objects.filter(state=QuarantineState.OPEN).exists()
    scratch = from_scratch(file)
    assert [row["record_key"] for row in scratch["analytics"]] == [row["record_key"] for row in after["analytics"]]


@pytest.mark.parametrize("same_cells", [False, True])
def test_its_place_in_quarantine_may_be_taken(
    inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch, *, same_cells: bool
) -> None:
    file, task, new = _begun(inbox, monkeypatch)
    waiting = _waiting(file, sheet_row=6, first_cell="99/99/2026")
    if same_cells:
        QuarantinedRow.objects.filter(pk=waiting.pk).update(values=SWAPPED[1])
    corrected(new, NOT_FAILED)
    take_turn()
    item = task.items.get()
    assert (item.state, parked(), TrafficMetric.objects.count()) == (ItemState.FAILED, [], 2)
    assert counts(item) == {"read": 2, "updated": 1, "quarantined": 1}
    found = QuarantinedRow.objects.order_by("pk").values_list("sheet_row", "values__0", "item")
    added = [] if same_cells else [(6, "03/04/2026", item.pk)]
    assert list(found) == [(6, "03/04/2026" if same_cells else "99/99/2026", waiting.item_id), *added]


def test_a_refused_row_whose_key_is_another_row_s_waits_beside_one_of_its_number(inbox: Path, bell: Bell) -> None:
    wrong = misread()
    file = month(inbox, 1, [SWAPPED[0], day("03/04/2026", views="")])
    waiting = _waiting(file, sheet_row=6, first_cell="99/99/2026")
    strict = with_column("页面浏览数", required=True)
    task = remapped(corrected(wrong, lambda told: strict(RIGHT(told))))
    assert counts(task) == {"read": 2, "updated": 1, "quarantined": 1}, task.errors
    assert list(TrafficMetric.objects.values_list("sheet_row", flat=True)) == [5]
    found = QuarantinedRow.objects.order_by("pk").values_list("sheet_row", "values__0", "item")
    assert list(found) == [(6, "99/99/2026", waiting.item_id), (6, "03/04/2026", task.items.get().pk)]
    # Both can be worked on.
    assert (
        quarantine.discard(filters=Filters(file_ids=[file.pk]), note="no use", actor=None, sight=EVERYTHING).discarded
        == 2
    )


def test_a_row_of_another_file_that_fails(inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = misread()
    month(inbox, 1, [SWAPPED[0], SWAPPED[2]])
    second = month(inbox, 2, [SWAPPED[1]])
    task = one_row_done(monkeypatch, corrected(wrong, RIGHT))
    CatalogFile.objects.filter(pk=second.pk).update(content_sha256="c" * 64, state=FileState.PENDING)
    take_turn()
    states = dict(task.items.values_list("file_id", "state"))
    assert (states[second.pk], parked()) == (ItemState.FAILED, [])
    assert sorted(states.values()) == [ItemState.COMPLETED, ItemState.FAILED]
    assert list(QuarantinedRow.objects.values_list("file_id", "values__0")) == [(second.pk, "03/04/2026")]
    second.refresh_from_db()
    assert second.state == FileState.PENDING


def test_a_row_in_a_shop_that_its_file_has_left_keeps_its_key(inbox: Path, bell: Bell) -> None:
    wrong = misread()
    month(inbox, 1, [SWAPPED[0]])
    moved = month(inbox, 2, [SWAPPED[1]])
    describe_file(moved, shop=Shop.objects.create(platform_id="shopee", shop_id="another"), sight=EVERYTHING)
    assert (
        remap_preview(wrong.pk, sight=EVERYTHING).rows == 1
    )  # the other file has none yet in the shop that it was given to
    sync_again(moved)
    task = remapped(corrected(wrong, RIGHT))
    assert (task.state, parked()) == (TaskState.COMPLETED, [])
    # The newer export's row stays, as where the two come in the other order.
    assert counts(task) == {"read": 2, "updated": 1, "duplicates": 1}
    stored = TrafficMetric.objects.order_by("metric_date").values_list("shop__shop_id", "file_last", "page_views")
    assert list(stored) == [("shopee_ana_sg", moved.pk, 2), ("another", moved.pk, 2)]


def test_a_parked_row_that_no_turn_reaches_goes_to_quarantine(inbox: Path, bell: Bell) -> None:
    wrong = misread()
    file = month(inbox, 1, SWAPPED)
    other = Shop.objects.create(platform_id="shopee", shop_id="another")
    TrafficMetric.objects.filter(sheet_row=6).update(record_key=FIRST_PARKED, shop=other)
    task = remapped(corrected(wrong, RIGHT))
    assert (task.items.get().state, parked()) == (ItemState.PARTIAL, [])
    assert counts(task) == {"read": 3, "updated": 2, "quarantined": 1}
    assert list(QuarantinedRow.objects.values_list("file_id", "sheet_row")) == [(file.pk, 6)]
    file.refresh_from_db()
    assert file.state == FileState.PARTIAL


def test_no_reader_sees_it(inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    _begun(inbox, monkeypatch)
    assert TrafficMetric.objects.count() == selectors.count("analytics", FactFilters(), sight=EVERYTHING) == 2
    assert _in_the_view() == [5, 7]
    take_turn()
    assert TrafficMetric.objects.count() == selectors.count("analytics", FactFilters(), sight=EVERYTHING) == 3
    assert _in_the_view() == [5, 6, 7]


def test_a_sync_that_brings_its_row_meanwhile_makes_no_second_one(
    inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, task, _ = _begun(inbox, monkeypatch)
    with pytest.raises(FileBusy):
        services.submit_single(file_id=first.pk, owner=None, sight=EVERYTHING)
    with pytest.raises(FileBusy):
        delete_file(file_id=first.pk, rows=RowsFate.DELETE, actor=None, sight=EVERYTHING)
    newer = month(inbox, 2, [day("03/04/2026", views="9")])
    assert _views_by_month() == [(3, 1), (4, 9), (5, 3)]
    take_turn()
    assert (counts(task.items.get()), parked()) == ({"read": 3, "updated": 2, "duplicates": 1}, [])
    assert _views_by_month() == [(3, 1), (4, 9), (5, 3)]
    for file in (first, newer):
        assert not {"inserted", "updated"} & set(counts(sync_again(file)))
    assert TrafficMetric.objects.count() == 3
    assert (
        delete_file(file_id=first.pk, rows=RowsFate.DELETE, actor=None, here=True, sight=EVERYTHING).removed_rows == 2
    )
    assert _views_by_month() == [(4, 9)]
