"""Deleting a file with its rows: what a newer export has confirmed becomes that export's instead of being lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from datasync.access import EVERYTHING
from datasync.catalog import removal
from datasync.catalog.deletion import delete_file, delete_files
from datasync.catalog.impact import HandedOver, delete_impacts
from datasync.choices import FileState, RowsFate
from datasync.models import AuditEntry, CatalogFile, ConfirmedRows, OrderLine
from tests.api import client_of, data_of, owner
from tests.facts_support import COLLECTED, file_of, make, make_shop

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
DELETE, KEEP = RowsFate.DELETE, RowsFate.KEEP


def at(day: int) -> datetime:
    return COLLECTED + timedelta(days=day)


def written(rows: int, *, day: int = 0) -> tuple[CatalogFile, list[OrderLine]]:
    """A file of the shop, and rows that it wrote."""
    file = file_of(make_shop("sg-9"), state="ingested", collected_at=at(day))
    return file, [make(OrderLine, file, collected_at=at(day)) for _ in range(rows)]  # type: ignore[misc]


def confirming(*facts: Any, day: int, **values: Any) -> CatalogFile:
    """A newer export that found these rows unchanged."""
    file = file_of(make_shop("sg-9"), **{"state": "ingested", "collected_at": at(day), **values})
    ConfirmedRows.objects.create(
        file=file, platform_id="shopee", shop=file.shop, domain="orders", granularity="daily", collected_at=at(day),
        keys=b"".join(sorted(fact.pk.bytes for fact in facts)),
    )  # fmt: skip
    return file


def owners(facts: Sequence[OrderLine]) -> list[int | None]:
    now = OrderLine.objects.in_bulk([fact.pk for fact in facts])
    return [now[fact.pk].file_last_id if fact.pk in now else None for fact in facts]


def test_the_newest_export_that_confirmed_a_row_gets_it() -> None:
    file, facts = written(4)
    newer, newest = confirming(*facts[:2], day=1), confirming(facts[1], day=2)
    (impact,), _missing = delete_impacts([file.pk], sight=EVERYTHING)
    assert (impact.rows, impact.handed_over) == (4, 2)
    assert impact.heirs == (
        HandedOver(newer.pk, newer.original_name, 1),
        HandedOver(newest.pk, newest.original_name, 1),
    )
    foreseen = delete_file(file_id=file.pk, rows=DELETE, actor=None, dry_run=True, sight=EVERYTHING)
    done = delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert (done.removed_rows, done.handed_over_rows) == (foreseen.removed_rows, foreseen.handed_over_rows) == (2, 2)
    assert owners(facts) == [newer.pk, newest.pk, None, None]
    row = OrderLine.objects.get(pk=facts[1].pk)
    assert (row.collected_at, row.file_first_id, row.sheet_row) == (at(2), file.pk, facts[1].sheet_row)
    assert row.updated_at > facts[1].updated_at
    assert AuditEntry.objects.get().detail["handed_over"] == {str(newer.pk): 1, str(newest.pk): 1}


@pytest.mark.parametrize("values", [{"state": FileState.DELETED}, {"day": 0}, {"day": -1}])
def test_only_newer_exports_that_are_still_there(values: dict[str, Any]) -> None:
    file, facts = written(1)
    confirming(*facts, **{"day": 1, **values})
    assert delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING).removed_rows == 1


def test_exports_that_go_too_get_nothing() -> None:
    file, facts = written(2)
    heir, other = confirming(*facts, day=2), confirming(facts[0], day=1)
    done = delete_files(file_ids=[file.pk, heir.pk], rows=DELETE, actor=None, sight=EVERYTHING)
    assert (done.removed_rows, done.handed_over_rows) == (1, 1)
    assert done.impacts[0].handed_over == 1
    assert owners(facts) == [other.pk, None]


def test_deleting_the_heir_removes_the_row_or_hands_it_on() -> None:
    file, facts = written(2)
    first, last = confirming(*facts, day=1), confirming(facts[0], day=2)
    ConfirmedRows.objects.filter(file=last).update(collected_at=at(0))
    delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert owners(facts) == [first.pk, first.pk]
    ConfirmedRows.objects.filter(file=last).update(collected_at=at(2))
    delete_file(file_id=first.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert owners(facts) == [last.pk, None]
    delete_file(file_id=last.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert not OrderLine.objects.exists()


def test_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "CHUNK_ROWS", 3)
    file, facts = written(10)
    heir = confirming(*facts[::2], day=1)
    done = delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert (done.removed_rows, done.handed_over_rows, done.finished) == (5, 5, True)
    assert owners(facts) == [heir.pk, None] * 5


def test_an_heir_that_is_deleted_between_two_chunks_gets_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "CHUNK_ROWS", 2)
    file, facts = written(4)
    heir = confirming(*facts, day=1)
    real = removal._settle
    calls: list[int] = []

    def settle(*arguments: Any, **options: Any) -> tuple[int, int]:
        counts = real(*arguments, **options)
        if not calls:
            CatalogFile.objects.filter(pk=heir.pk).update(state=FileState.DELETED)
        calls.append(1)
        return counts

    monkeypatch.setattr(removal, "_settle", settle)
    done = delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    assert (done.removed_rows, done.handed_over_rows) == (2, 2)


def test_the_row_number_in_the_heir_is_not_known(owner: User) -> None:
    file, facts = written(1)
    heir = confirming(*facts, day=1)
    delete_file(file_id=file.pk, rows=DELETE, actor=None, sight=EVERYTHING)
    told = data_of(client_of(owner).get(f"/api/data-sync/facts/orders/{facts[0].pk}"))["lineage"]
    assert (told["last"]["id"], told["last"]["sheet_row"]) == (heir.pk, None)
    assert (told["first"]["id"], told["first"]["status"]) == (file.pk, "deleted")


def test_what_a_deleted_file_keeps_stays_its_own() -> None:
    file, facts = written(1)
    confirming(*facts, day=1)
    delete_file(file_id=file.pk, rows=KEEP, actor=None, sight=EVERYTHING)
    assert owners(facts) == [file.pk]


def test_many_small_files_are_weighed_together(django_assert_max_num_queries: Any) -> None:
    files = []
    for _ in range(12):
        file, facts = written(1)
        files.append(file.pk)
    confirming(*facts, day=1)
    with django_assert_max_num_queries(20):
        impacts, _missing = delete_impacts(files, sight=EVERYTHING)
    assert [impact.handed_over for impact in impacts] == [0] * 11 + [1]
