"""A remap as a task: which files, what is busy, what happens between two chunks, and who may still write."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from datasync.access import EVERYTHING
from datasync.choices import AuditAction, FileState, ItemState, TaskState
from datasync.exceptions import FileBusy, InvalidRequest, TemplateNotFound, TemplateNotInUse
from datasync.models import AuditEntry, CatalogFile, OrderLine, QualityReport, SyncTaskFile, TrafficMetric
from datasync.runs import services
from datasync.runs.claim import claim_next
from datasync.runs.remap import execute, finish, parts
from datasync.runs.remap.services import remap_preview, start_remap
from datasync.runs.sweep import sweep
from datasync.runs.turns import take_turn
from datasync.runs.words import summary
from tests.remap_dates import RIGHT, misread
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    counts,
    day,
    facts,
    inbox,
    line,
    remapped,
    sync_again,
    synced,
    template_of,
    with_column,
    write_orders,
    write_traffic,
)

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)
CHANGE = with_column("访客数", field="store_page_views")


def _statistics(inbox: Path, days: int = 4, **options: str) -> CatalogFile:
    return synced(write_traffic(inbox, [day(f"{number + 1:02d}/03/2026") for number in range(days)], **options))


def test_only_published_templates_with_stored_rows(inbox: Path, bell: Bell) -> None:
    row = template_of("analytics", granularity="monthly")
    assert start_remap(row.pk, owner=None, sight=EVERYTHING) is None
    assert not bell.rung
    with pytest.raises(TemplateNotFound):
        start_remap(2**40, owner=None, sight=EVERYTHING)
    _statistics(inbox)
    new = corrected(row, CHANGE)
    with pytest.raises(TemplateNotInUse):
        start_remap(row.pk, owner=None, sight=EVERYTHING)
    with pytest.raises(InvalidRequest):
        start_remap(new.pk, owner=None, priority=11, sight=EVERYTHING)
    started = start_remap(new.pk, owner=None, sight=EVERYTHING)
    assert started is not None
    assert (started.task.kind, started.task.total_files, started.busy_file_ids) == ("remap", 1, ())
    assert bell.rung[-1] == started.task.priority
    entry = AuditEntry.objects.get(action=AuditAction.REMAP_STARTED)
    assert (entry.template_id, entry.rows, entry.detail["files"]) == (new.pk, 4, 1)


def test_busy_files_are_left_out_and_named(inbox: Path, bell: Bell) -> None:
    first, second = _statistics(inbox), _statistics(inbox, days=9, name="20260402_100000")
    TrafficMetric.objects.filter(metric_date__day__lte=4).update(file_last=first)
    new = corrected(template_of("analytics", granularity="monthly"), CHANGE)
    services.submit_single(file_id=first.pk, owner=None, sight=EVERYTHING)
    started = start_remap(new.pk, owner=None, sight=EVERYTHING)
    assert started is not None
    assert (started.task.total_files, started.busy_file_ids) == (1, (first.pk,))
    with pytest.raises(FileBusy) as refused:
        start_remap(new.pk, owner=None, sight=EVERYTHING)
    assert refused.value.params["task_id"]
    with pytest.raises(FileBusy):
        services.submit_single(file_id=second.pk, owner=None, sight=EVERYTHING)


def test_rows_of_another_variant_and_of_replaced_files_stay(inbox: Path, bell: Bell) -> None:
    mine, others, replaced = (_statistics(inbox, days=n, name=f"2026040{n}_100000") for n in (3, 2, 1))
    dot = template_of("analytics", granularity="monthly", variant="dot")
    CatalogFile.objects.filter(pk=others.pk).update(template=dot)
    CatalogFile.objects.filter(pk=replaced.pk).update(content_sha256="c" * 64, state=FileState.PENDING)
    for number, file in enumerate((mine, others, replaced), 1):
        TrafficMetric.objects.filter(metric_date__day=number).update(file_last=file)
    task = remapped(corrected(template_of("analytics", granularity="monthly"), CHANGE))
    assert [item.file_id for item in task.items.all()] == [mine.pk]


@pytest.mark.parametrize("state", [FileState.DELETED, FileState.SOURCE_MISSING])
def test_the_file_itself_is_not_needed(inbox: Path, bell: Bell, state: FileState) -> None:
    file = _statistics(inbox)
    (inbox / file.storage_name).unlink()
    CatalogFile.objects.filter(pk=file.pk).update(state=state)
    new = corrected(template_of("analytics", granularity="monthly"), CHANGE)
    task = remapped(new)
    assert (task.state, counts(task)) == (TaskState.COMPLETED, {"read": 4, "updated": 4})
    file.refresh_from_db()
    assert (file.state, file.template_id) == (state, new.pk)
    with translation.override("en"):
        assert summary(task) == "1 of 1 files typed again; 4 stored rows: 4 updated."
    assert not QualityReport.objects.filter(task=task).exists()


def test_a_newer_file_between_two_chunks_is_not_overwritten(
    inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(parts, "CHUNK_ROWS", 2)
    monkeypatch.setattr(execute, "TURN_SECONDS", 0.0)
    settings.SLICE_SECONDS = 0
    wrong = corrected(template_of("analytics", granularity="monthly"), with_column("日期", format="%m/%d/%Y"))
    old = synced(write_traffic(inbox, [day(f"0{number}/01/2026", views="1") for number in range(1, 7)]))
    new = corrected(wrong, with_column("日期", format="%d/%m/%Y"))
    started = start_remap(new.pk, owner=None, sight=EVERYTHING)
    assert started is not None
    take_turn()
    item = started.task.items.get()
    assert (item.state, item.resume_after, item.rows_updated) == (ItemState.QUEUED, 6, 2)
    days = [day(f"0{number}/01/2026", views="9") for number in (2, 3, 5)]
    newer = synced(write_traffic(inbox, days, name="20260402_100000"))
    while item.state == ItemState.QUEUED:
        take_turn()
        item.refresh_from_db()
    started.task.refresh_from_db()
    assert counts(started.task) == {"read": 6, "updated": 4, "duplicates": 2}
    assert dict(TrafficMetric.objects.values_list("metric_date__day", "page_views")) == {
        1: 1, 2: 9, 3: 9, 4: 1, 5: 9, 6: 1,
    }  # fmt: skip
    before = facts()
    for file in (old, newer):
        assert not {"inserted", "updated"} & set(counts(sync_again(file)))
    assert facts() == before


def test_who_lost_the_lease_writes_nothing(inbox: Path, bell: Bell) -> None:
    _statistics(inbox)
    before = facts()
    new = corrected(template_of("analytics", granularity="monthly"), CHANGE)
    started = start_remap(new.pk, owner=None, sight=EVERYTHING)
    assert started is not None
    claim = claim_next(started.task.pk)
    assert claim is not None
    SyncTaskFile.objects.filter(pk=claim.item_id).update(lease_token=uuid.uuid4())
    execute.retype(claim, started.task)
    item = SyncTaskFile.objects.get(pk=claim.item_id)
    assert (item.state, item.resume_after, counts(item)) == (ItemState.PROCESSING, 0, {})
    assert facts() == before


def test_a_template_replaced_on_the_way_stops_it_and_keeps_what_is_done(inbox: Path, bell: Bell) -> None:
    file = _statistics(inbox)
    new = corrected(template_of("analytics", granularity="monthly"), CHANGE)
    started = start_remap(new.pk, owner=None, sight=EVERYTHING)
    assert started is not None
    corrected(new, with_column("跳出率", field=None))
    take_turn()
    item = started.task.items.get()
    assert (item.state, item.error["code"]) == (ItemState.FAILED, "TEMPLATE_REPLACED")
    file.refresh_from_db()
    assert (file.state, file.last_error) == (FileState.INGESTED, {})


def test_orders_are_not_cut_and_a_taken_over_file_knows_where_their_amounts_stand(
    inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line("A1", sku="S1"), line("A1", sku="S2"), line("B1")]
    lines += [line("C1"), line("A1", sku="S3"), line("B1", sku="S4")]
    orders = template_of("orders", granularity="daily")
    blank = corrected(orders, with_column("Total Amount", field=None))
    synced(write_orders(inbox, lines))
    new = corrected(blank, with_column("Total Amount", field="order_amount"))
    monkeypatch.setattr(parts, "CHUNK_ROWS", 3)
    started = start_remap(new.pk, owner=None, sight=EVERYTHING)
    assert started is not None
    real: Any = finish.checkpoint

    def once(*args: object, **options: object) -> None:
        real(*args, **options)
        monkeypatch.setattr(finish, "checkpoint", dying)

    def dying(*_args: object, **_options: object) -> None:
        raise SystemExit

    monkeypatch.setattr(finish, "checkpoint", once)
    with pytest.raises(SystemExit):
        take_turn()
    item = started.task.items.get()
    assert (item.state, item.resume_after, item.rows_updated) == (ItemState.PROCESSING, 3, 2)
    monkeypatch.setattr(finish, "checkpoint", real)
    SyncTaskFile.objects.filter(pk=item.pk).update(lease_until="2020-01-01T00:00:00Z")
    sweep()
    take_turn()
    item.refresh_from_db()
    assert (item.state, counts(item)) == (ItemState.COMPLETED, {"read": 6, "updated": 6})
    amounts = OrderLine.objects.filter(order_amount__isnull=False).order_by("sheet_row")
    assert list(amounts.values_list("order_id", "sheet_row")) == [("A1", 2), ("B1", 4), ("C1", 5)]


def test_the_preview_says_what_the_remap_then_does(inbox: Path, bell: Bell) -> None:
    wrong = misread()
    synced(write_traffic(inbox, [day("05/03/2026", views="1"), day("2026-03-06"), day("06/03/2026", views="5")]))
    synced(write_traffic(inbox, [day("2026-03-05", views="9")], name="20260402_100000"))
    new = corrected(wrong, RIGHT)
    before = facts()
    preview = remap_preview(new.pk, sight=EVERYTHING)
    assert facts() == before
    assert (preview.files, preview.rows, preview.rows_sampled) == (2, 4, 4)
    assert (preview.updated, preview.unchanged, preview.merged, preview.quarantined) == (3, 0, 1, 0)
    differences = [one for sample in preview.samples for one in sample.differences]
    told = [(one.stored, one.new) for one in differences if one.field == "metric_date"]
    assert told == [("2026-05-03", "2026-03-05"), ("2026-06-03", "2026-03-06")]
    task = remapped(new)
    assert counts(task) == {"read": 4, "updated": 3, "duplicates": 1}
