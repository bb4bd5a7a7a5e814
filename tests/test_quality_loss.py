"""Loss analysis: the equation of the books, by file, by task and by domain, with rows where they are now."""

from __future__ import annotations

import pytest
from django.utils import translation

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, QuarantineState, TaskKind
from datasync.exceptions import InvalidRequest
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quality.loss import flow
from tests.flows import quarantine, synced
from tests.runs_support import make_file

pytestmark = pytest.mark.django_db
OPEN, CORRECTED = QuarantineState.OPEN, QuarantineState.CORRECTED
RELEASED, DISCARDED = QuarantineState.RELEASED, QuarantineState.DISCARDED


def test_a_files_last_sync_counts() -> None:
    file = make_file()
    synced(file, read=10, inserted=8, quarantined=2)
    synced(file, read=10, unchanged=9, totals=1)
    synced(file, state=ItemState.FAILED)
    found = flow(file_id=file.pk, sight=EVERYTHING)
    assert found.as_dict() == {
        "files": 1,
        "rows": {
            "read": 10, "inserted": 0, "updated": 0, "unchanged": 9, "stale": 0, "quarantined": 0, "totals": 1,
            "duplicates": 0,
        },
        "quarantine": {"open": 0, "corrected": 0, "discarded": 0, "judged_again": 0},
        "released": 0,
        "balanced": True,
        "lost": 0,
        "lost_percent": 0.0,
        "undecided": 0,
        "undecided_percent": 0.0,
    }  # fmt: skip


def test_a_task_and_a_domain_add_up_their_files() -> None:
    orders, products = make_file(), make_file(domain="products")
    item = synced(orders, read=10, inserted=9, quarantined=1)
    quarantine(item, OPEN)
    task = item.task
    synced(products, read=5, inserted=5)
    assert (
        flow(task_id=task.pk, sight=EVERYTHING).counts.read,
        flow(task_id=task.pk, sight=EVERYTHING).lost_percent,
    ) == (10, 10.0)
    assert flow(domain="products", sight=EVERYTHING).counts.read == 5
    assert (flow(sight=EVERYTHING).files, flow(sight=EVERYTHING).counts.read, flow(sight=EVERYTHING).balanced) == (
        2,
        15,
        True,
    )
    assert (
        flow(platform="shopee", sight=EVERYTHING).files,
        flow(platform="lazada", sight=EVERYTHING).files,
        flow(shop="sg1", sight=EVERYTHING).files,
    ) == (2, 0, 0)


def test_quarantined_rows_are_told_by_what_was_decided() -> None:
    item = synced(make_file(), read=10, inserted=4, unchanged=1, quarantined=5)
    quarantine(item, OPEN, OPEN, CORRECTED, DISCARDED, RELEASED, outcome="updated")
    found = flow(file_id=item.file_id, sight=EVERYTHING)
    assert found.counts.as_dict() == {
        "read": 10, "inserted": 4, "updated": 1, "unchanged": 1, "stale": 0, "quarantined": 4, "totals": 0,
        "duplicates": 0,
    }  # fmt: skip
    assert (found.open, found.corrected, found.discarded, found.released) == (2, 1, 1, 1)
    assert (found.undecided, found.undecided_percent, found.lost_percent, found.balanced) == (3, 30.0, 40.0, True)


def test_what_was_discarded_before_the_last_sync_is_still_discarded() -> None:
    """The later sync counts it as quarantined, but keeps no second row of it."""
    file = make_file()
    first = synced(file, read=4, inserted=2, quarantined=2)
    last = synced(file, read=4, unchanged=2, quarantined=2, discarded_before=1)
    quarantine(first, DISCARDED)
    quarantine(last, OPEN)
    found = flow(file_id=file.pk, sight=EVERYTHING)
    assert (found.open, found.discarded, found.judged_again, found.balanced) == (1, 1, 0, True)


def test_an_older_task_leaves_to_the_later_sync_what_it_judged_again() -> None:
    file = make_file()
    first = synced(file, read=4, inserted=1, quarantined=3)
    quarantine(first, RELEASED)
    last = synced(file, read=4, unchanged=2, quarantined=2)
    quarantine(last, OPEN, OPEN)
    found = flow(task_id=first.task_id, sight=EVERYTHING)
    assert (found.counts.inserted, found.lost, found.open, found.judged_again, found.discarded) == (2, 2, 0, 2, 0)
    assert found.balanced
    assert (
        flow(task_id=last.task_id, sight=EVERYTHING).open,
        flow(task_id=last.task_id, sight=EVERYTHING).judged_again,
    ) == (2, 0)


def test_a_deleted_file_counts_in_its_tasks_only() -> None:
    file = make_file()
    item = synced(file, read=3, inserted=2, quarantined=1)
    CatalogFile.objects.filter(pk=file.pk).update(state=FileState.DELETED)
    assert (flow(sight=EVERYTHING).files, flow(domain="orders", sight=EVERYTHING).files) == (0, 0)
    found = flow(task_id=item.task_id, sight=EVERYTHING)
    assert (found.counts.read, found.judged_again, found.discarded, found.balanced) == (3, 1, 0, True)


def test_a_file_whose_rows_were_deleted_and_that_came_back_is_as_if_never_synced() -> None:
    file = make_file()
    item = synced(file, read=3, inserted=2, quarantined=1)
    CatalogFile.objects.filter(pk=file.pk).update(rows={}, state=FileState.PENDING)
    assert flow(file_id=file.pk, sight=EVERYTHING).files == 0
    assert flow(task_id=item.task_id, sight=EVERYTHING).balanced
    last = synced(file, read=3, inserted=2, quarantined=1)
    quarantine(last, OPEN)
    assert (flow(file_id=file.pk, sight=EVERYTHING).open, flow(file_id=file.pk, sight=EVERYTHING).balanced) == (1, True)


def test_a_remap_is_no_part_of_the_flow() -> None:
    file = make_file()
    synced(file, read=3, inserted=3)
    remapped = synced(file, kind=TaskKind.REMAP, read=3, updated=2, quarantined=1)
    quarantine(remapped, RELEASED)
    assert (
        flow(file_id=file.pk, sight=EVERYTHING).counts.inserted,
        flow(task_id=remapped.task_id, sight=EVERYTHING).files,
    ) == (3, 0)
    assert flow(file_id=file.pk, sight=EVERYTHING).balanced


def test_a_row_that_went_missing_is_seen() -> None:
    assert not flow(task_id=synced(make_file(), read=10, inserted=9).task_id, sight=EVERYTHING).balanced


@pytest.mark.parametrize(("counted", "kept"), [(0, 1), (1, 0), (1, 2), (2, 1)])
def test_books_and_quarantine_that_differ_are_seen(counted: int, kept: int) -> None:
    item = synced(make_file(), read=10, inserted=10 - counted, quarantined=counted)
    quarantine(item, *[OPEN] * kept)
    found = flow(file_id=item.file_id, sight=EVERYTHING)
    assert (found.judged_again, found.unaccounted, found.balanced) == (counted - kept, 1, False)


def test_two_files_that_differ_do_not_make_up_for_each_other() -> None:
    first, second = (synced(make_file(), read=3, inserted=2, quarantined=1) for _ in range(2))
    quarantine(first, OPEN, OPEN)
    assert (flow(sight=EVERYTHING).judged_again, flow(sight=EVERYTHING).balanced) == (0, False)
    quarantine(second, OPEN)
    QuarantinedRow.objects.filter(pk=first.quarantined.values_list("pk", flat=True)[0]).delete()
    assert flow(sight=EVERYTHING).balanced


def test_an_older_sync_may_have_less_in_quarantine_but_not_more() -> None:
    file = make_file()
    first = synced(file, read=3, inserted=2, quarantined=1)
    quarantine(first, DISCARDED, DISCARDED)
    synced(file, read=3, unchanged=3)
    assert not flow(task_id=first.task_id, sight=EVERYTHING).balanced


def test_one_question_at_a_time() -> None:
    with translation.override("zh-hans"), pytest.raises(InvalidRequest) as refused:
        flow(file_id=1, domain="orders", sight=EVERYTHING)
    assert "之一" in refused.value.message
