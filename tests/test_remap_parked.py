"""Rows that made room for others: where a remap ends before their turn, none of them stays under a key of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasync.choices import FileState, ItemState, QuarantineState
from datasync.models import CatalogFile, QuarantinedRow, SyncProgressTask, SyncTaskFile, TrafficMetric
from datasync.quarantine import services as quarantine
from datasync.quarantine.selectors import Filters
from datasync.runs.remap import finish, parts
from datasync.runs.remap.services import start_remap
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    day,
    facts,
    from_scratch,
    inbox,
    run_slice,
    sync_again,
    synced,
    template_of,
    with_column,
    write_traffic,
)

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)
RIGHT, WRONG = with_column("日期", format="%d/%m/%Y|%Y-%m-%d"), with_column("日期", format="%m/%d/%Y|%Y-%m-%d")
SWAPPED = [day("04/03/2026", views="1"), day("03/04/2026", views="2"), day("05/05/2026", views="3")]


def _parked() -> list[int]:
    """Sheet rows of the facts that wait under a key that is none."""
    rows = TrafficMetric.objects.filter(record_key__gte="ffffffff-0000-0000-0000-000000000000")
    return list(rows.order_by("sheet_row").values_list("sheet_row", flat=True))


def _killed_after_a_chunk(task: SyncProgressTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker does the first row and dies with the second in hand; its lease is over at once."""
    real: Any = finish.checkpoint
    done: list[int] = []

    def once(*args: object, **options: object) -> None:
        if done:
            raise SystemExit
        done.append(1)
        real(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(parts, "CHUNK_ROWS", 1)
        patched.setattr(finish, "checkpoint", once)
        with pytest.raises(SystemExit):
            run_slice(task.pk)
    SyncTaskFile.objects.filter(task=task, state=ItemState.PROCESSING).update(lease_until="2020-01-01T00:00:00Z")


def _begun(monkeypatch: pytest.MonkeyPatch, *files: list[list[str]], inbox: Path) -> tuple[SyncProgressTask, Any]:
    wrong = corrected(template_of("analytics", granularity="monthly"), WRONG)
    for number, days in enumerate(files, 1):
        synced(write_traffic(inbox, days, name=f"2026040{number}_100000"))
    new = corrected(wrong, RIGHT)
    started = start_remap(new.pk, owner=None)
    assert started is not None
    _killed_after_a_chunk(started.task, monkeypatch)
    assert len(_parked()) == 1
    return started.task, new


def test_whoever_takes_the_file_over_gives_the_row_its_key(
    inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, _ = _begun(monkeypatch, SWAPPED, inbox=inbox)
    run_slice(task.pk)
    assert (task.items.get().state, _parked()) == (ItemState.COMPLETED, [])
    after = facts()
    assert from_scratch(CatalogFile.objects.get()) == after


@pytest.mark.parametrize("released", [False, True])
def test_a_remap_that_fails_midway_puts_it_into_quarantine(
    inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch, *, released: bool
) -> None:
    task, new = _begun(monkeypatch, SWAPPED, inbox=inbox)
    assert _parked() == [6]
    file = CatalogFile.objects.get()
    newest = corrected(new, with_column("跳出率", field=None))
    run_slice(task.pk)
    item = task.items.get()
    assert (item.state, item.error["code"], _parked()) == (ItemState.FAILED, "TEMPLATE_REPLACED", [])
    row = QuarantinedRow.objects.get()
    assert (row.sheet_row, row.state, row.item, row.values[0]) == (6, QuarantineState.OPEN, item, "03/04/2026")
    assert [reason["code"] for reason in row.reasons] == ["IDENTITY_CHANGED"]
    file.refresh_from_db()
    assert file.state == FileState.PARTIAL
    if released:
        file.template = newest
        file.save(update_fields=["template"])
        assert quarantine.release(filters=Filters(ids=[row.pk]), actor=None).outcomes == {"inserted": 1}
    sync_again(file)
    after = facts()
    assert len(after["analytics"]) == 3
    assert not QuarantinedRow.objects.filter(state=QuarantineState.OPEN).exists()
    scratch = from_scratch(file)
    assert [row["record_key"] for row in scratch["analytics"]] == [row["record_key"] for row in after["analytics"]]


def test_a_row_of_another_file_that_fails(inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch) -> None:
    task, _ = _begun(monkeypatch, [SWAPPED[0], SWAPPED[2]], [SWAPPED[1]], inbox=inbox)
    second = CatalogFile.objects.order_by("pk")[1]
    CatalogFile.objects.filter(pk=second.pk).update(content_sha256="c" * 64, state=FileState.PENDING)
    run_slice(task.pk)
    states = dict(task.items.values_list("file_id", "state"))
    assert (states[second.pk], _parked()) == (ItemState.FAILED, [])
    assert sorted(states.values()) == [ItemState.COMPLETED, ItemState.FAILED]
    assert list(QuarantinedRow.objects.values_list("file_id", "values__0")) == [(second.pk, "03/04/2026")]
    second.refresh_from_db()
    assert second.state == FileState.PENDING
