"""Quarantine after a remap: rows stay their sync's, are released when they can be read, and the books add up."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from datasync.access import EVERYTHING
from datasync.choices import AuditAction, FileState, QuarantineState
from datasync.models import AuditEntry, CatalogFile, HeaderTemplate, OrderLine, QuarantinedRow
from datasync.quality.loss import Flow, flow
from datasync.quarantine import services as quarantine
from datasync.quarantine.selectors import Filters
from datasync.runs.remap.services import start_remap
from tests.remap_dates import RIGHT, misread
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    counts,
    day,
    facts,
    from_scratch,
    inbox,
    line,
    remapped,
    sync_again,
    synced,
    take_turn,
    template_of,
    with_column,
    write_orders,
    write_traffic,
)

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)
PRICE = "Deal Price"
LINES = [line("A1"), line("B1", price="abc"), line("B1", price="abc"), line("C1")]


def _lenient(template: HeaderTemplate) -> HeaderTemplate:
    return corrected(template, with_column(PRICE, field=None))


def _strict(template: HeaderTemplate) -> HeaderTemplate:
    return corrected(template, with_column(PRICE, field="unit_price"))


def _orders() -> HeaderTemplate:
    return template_of("orders", granularity="daily")


def _quarantined(inbox: Path) -> tuple[CatalogFile, HeaderTemplate]:
    """A file that was stored whole, and of which the last sync refused two lines."""
    mild = _lenient(_orders())
    file = synced(write_orders(inbox, LINES))
    strict = _strict(mild)
    sync_again(file)
    assert (file.state, file.rows["quarantined"]) == (FileState.PARTIAL, 2)
    return file, strict


def _flow(file: CatalogFile) -> Flow:
    found = flow(file_id=file.pk, sight=EVERYTHING)
    assert found.balanced, found
    assert found.judged_again == 0
    return found


def test_a_row_that_is_refused_again_stays_its_sync_s(inbox: Path, bell: Bell) -> None:
    file, strict = _quarantined(inbox)
    before = list(QuarantinedRow.objects.values_list("pk", "item_id"))
    strict = corrected(strict, with_column("Recipient", field="buyer_name"))
    assert counts(remapped(strict)) == {"read": 4, "updated": 2, "quarantined": 2}
    assert list(QuarantinedRow.objects.values_list("pk", "item_id")) == before
    assert QuarantinedRow.objects.filter(template=strict, state=QuarantineState.OPEN).count() == 2
    assert (_flow(file).open, _flow(file).lost) == (2, 2)
    row = QuarantinedRow.objects.first()
    assert row is not None
    quarantine.correct(row_id=row.pk, given={PRICE: "3"}, actor=None, sight=EVERYTHING)
    quarantine.release(filters=Filters(ids=[row.pk]), actor=None, sight=EVERYTHING)
    assert (_flow(file).open, _flow(file).released, OrderLine.objects.count()) == (1, 1, 4)


def test_a_row_that_can_be_read_now_is_released_in_the_name_of_who_asked(inbox: Path, bell: Bell) -> None:
    file, strict = _quarantined(inbox)
    mild = _lenient(strict)
    owner = User.objects.create_user("owner")
    started = start_remap(mild.pk, owner=owner, sight=EVERYTHING)
    assert started is not None
    take_turn()
    rows = list(QuarantinedRow.objects.order_by("sheet_row"))
    task_id = started.task.task_id
    assert [(row.state, row.outcome, row.note, row.decided_by) for row in rows] == [
        ("released", "unchanged", task_id, owner)
    ] * 2
    assert [row.record_key for row in rows] == list(
        OrderLine.objects.filter(order_id="B1").order_by("sheet_row").values_list("record_key", flat=True)
    )
    assert [(row.context or "").count('"o":') for row in rows] == [1, 1]
    file.refresh_from_db()
    found = _flow(file)
    assert (file.state, found.released, found.lost, found.counts.as_dict()) == ("ingested", 2, 0, file.rows)
    entry = AuditEntry.objects.get(action=AuditAction.ROWS_RELEASED)
    assert (entry.actor, entry.rows, entry.detail["sheet_rows"], entry.note) == (owner, 2, [3, 4], task_id)
    after = facts()
    assert counts(sync_again(file)) == {"read": 4, "unchanged": 4}
    assert facts() == after
    _flow(file)
    assert from_scratch(file) == after


def test_new_refusals_are_the_remap_s_and_move_no_counts_of_the_sync(inbox: Path, bell: Bell) -> None:
    mild = _lenient(_orders())
    file = synced(write_orders(inbox, [line("A1"), line("B1", price="abc"), line("C1", date="31/31")]))
    books = file.rows
    task = remapped(_strict(mild))
    assert counts(task) == {"read": 2, "updated": 1, "quarantined": 1}
    new = QuarantinedRow.objects.get(sheet_row=3)
    assert new.item_id == task.items.get().pk
    assert (_flow(file).open, _flow(file).lost) == (1, 1)
    quarantine.correct(row_id=new.pk, given={PRICE: "3"}, actor=None, sight=EVERYTHING)
    assert quarantine.release(filters=Filters(ids=[new.pk]), actor=None, sight=EVERYTHING).outcomes == {"updated": 1}
    file.refresh_from_db()
    assert (file.rows, file.state, _flow(file).open) == (books, FileState.PARTIAL, 1)


def test_what_is_decided_on_a_row_with_a_cell_of_white_space_holds_at_the_next_sync(inbox: Path, bell: Bell) -> None:
    mild = _lenient(_orders())
    lines = [line("A1"), line("B1", price="abc", recipient="  "), line("C1", price="abc", variation=" ")]
    file = synced(write_orders(inbox, lines))
    assert counts(remapped(_strict(mild))) == {"read": 3, "updated": 1, "quarantined": 2}
    ids = list(QuarantinedRow.objects.order_by("sheet_row").values_list("pk", flat=True))
    quarantine.correct(row_id=ids[0], given={PRICE: "3"}, actor=None, sight=EVERYTHING)
    quarantine.release(filters=Filters(ids=ids[:1]), actor=None, sight=EVERYTHING)
    quarantine.discard(filters=Filters(ids=ids[1:]), note="not ours", actor=None, sight=EVERYTHING)
    assert counts(sync_again(file)) == {"read": 3, "unchanged": 2, "quarantined": 1}
    assert list(QuarantinedRow.objects.order_by("sheet_row").values_list("pk", flat=True)) == ids


def test_a_correction_that_was_not_released_waits(inbox: Path, bell: Bell) -> None:
    file, strict = _quarantined(inbox)
    row = QuarantinedRow.objects.get(sheet_row=3)
    quarantine.correct(row_id=row.pk, given={PRICE: "3"}, actor=None, sight=EVERYTHING)
    remapped(_lenient(strict))
    row.refresh_from_db()
    assert (row.state, row.corrected) == ("corrected", {str(row.header_set.headers.index(PRICE)): "3"})
    file.refresh_from_db()
    assert (file.state, _flow(file).corrected, _flow(file).released) == (FileState.PARTIAL, 1, 1)


def test_a_row_that_became_one_with_another_is_a_duplicate(inbox: Path, bell: Bell) -> None:
    wrong = misread()
    file = synced(write_traffic(inbox, [day("05/03/2026", views="1"), day("2026-03-05", views="2")]))
    strict = corrected(wrong, with_column("日期", format="%Y-%m-%d"))
    sync_again(file)
    assert QuarantinedRow.objects.filter(item__file=file).count() == 1
    right = corrected(strict, RIGHT)
    assert counts(remapped(right)) == {"read": 2, "updated": 1, "duplicates": 1}
    row = QuarantinedRow.objects.get()
    assert (row.state, row.outcome) == ("released", "duplicates")
    assert _flow(file).counts.duplicates == 1
    after = facts()
    assert counts(sync_again(file)) == {"read": 2, "unchanged": 1, "duplicates": 1}
    assert facts() == after
