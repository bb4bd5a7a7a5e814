"""Archiving: files that were to be synced by the template get another one, or wait; no batch is filled with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasync.access import EVERYTHING
from datasync.catalog.selectors import Filters, file_by_id, matching_files, pending_files, template_status
from datasync.choices import AuditAction, FileState
from datasync.mapping import rematch, services
from datasync.models import AuditEntry, CatalogFile, HeaderTemplate
from datasync.runs.services import submit_batch
from tests.templates_support import HEADER, draft, waiting

pytestmark = pytest.mark.django_db
EXACT = {"outcome": "exact"}
PERIOD: dict[str, Any] = {"period_start": "2026-01-01", "period_end": "2026-01-01"}


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_ROOTS = [tmp_path]
    return tmp_path


@pytest.fixture
def row() -> HeaderTemplate:
    return services.publish(draft())


def listed(status: str) -> list[int]:
    return [file.pk for file in matching_files(Filters(template_status=status), sight=EVERYTHING)]


def test_a_file_of_an_archived_template_has_none(row: HeaderTemplate, root: Path) -> None:
    file = waiting(root, template=row, match=EXACT)
    assert (listed("matched"), listed("missing"), template_status(file)) == ([file.pk], [], "matched")
    told = services.archiving_of(row.pk, sight=EVERYTHING)
    assert services.archive_template(row.pk, sight=EVERYTHING) == told
    assert (told.pending_files, told.rematched, told.deferred, told.other_variants) == (1, 0, 0, 0)
    assert (listed("matched"), listed("missing"), template_status(file)) == ([], [file.pk], "missing")
    assert file_by_id(file.pk, sight=EVERYTHING).template_status == "missing"  # type: ignore[attr-defined]
    assert not pending_files(with_template_only=True, sight=EVERYTHING).exists()
    assert pending_files(sight=EVERYTHING).count() == 1


def test_batches_are_filled_with_others(row: HeaderTemplate, root: Path) -> None:
    for number in range(3):
        waiting(root, number, template=row, match=EXACT)
    services.archive(row)
    good = waiting(root, 9, template=services.publish(draft("A", "B", "C", variant="other")), match=EXACT)
    task = submit_batch(owner=None, limit=2, sight=EVERYTHING)
    assert task is not None
    assert [item.file_id for item in task.items.all()] == [good.pk]


def test_another_variant_that_fits_takes_its_place(row: HeaderTemplate, root: Path) -> None:
    other = services.publish(draft(variant="other", ordinal=True))
    file = waiting(root, template=row, match=EXACT, **PERIOD)
    stranger = waiting(root, 2, header=["a", "b", "c"], template=row, match=EXACT)
    told = services.archiving_of(row.pk, sight=EVERYTHING)
    assert (told.pending_files, told.rematched, told.other_variants) == (2, 1, 1)
    file.refresh_from_db()
    assert file.template_id == row.pk
    assert services.archive_template(row.pk, sight=EVERYTHING).rematched == 1
    file.refresh_from_db()
    assert (file.template_id, file.match["template_id"], file.state) == (other.pk, other.pk, FileState.PENDING)
    assert listed("missing") == [stranger.pk]
    detail = AuditEntry.objects.get(action=AuditAction.TEMPLATE_ARCHIVED).detail
    assert (detail["pending_files"], detail["rematched"]) == (2, 1)


def test_a_new_version_frees_them(row: HeaderTemplate, root: Path) -> None:
    file = waiting(root, template=row, match=EXACT, **PERIOD)
    services.archive(row)
    new = services.copy_as_draft(row.pk, actor=None)
    assert services.publishing_of(new.pk, sight=EVERYTHING).files == 1
    assert services.publish_draft(new.pk, sight=EVERYTHING).files == 1
    file.refresh_from_db()
    assert (file.template_id, template_status(file)) == (new.pk, "matched")


def test_a_newer_version_takes_the_pending_files_of_the_one_it_replaces(row: HeaderTemplate, root: Path) -> None:
    file = waiting(root, template=row, match=EXACT, **PERIOD)
    lost = waiting(root, 2, header=["Order ID"], template=row, match=EXACT)
    new = draft("Order ID", "SKU", "Quantity", ordinal=True)
    planned, done = services.publishing_of(new.pk, sight=EVERYTHING), services.publish_draft(new.pk, sight=EVERYTHING)
    assert (planned.files, planned.losing, planned.deferred) == (done.files, done.losing, done.deferred) == (1, 1, 0)
    file.refresh_from_db()
    assert file.template_id == new.pk
    assert listed("missing") == [lost.pk]


def test_files_that_were_synced_stand_by_what_replaced_their_template(row: HeaderTemplate, root: Path) -> None:
    file = waiting(root, template=row, match=EXACT, state=FileState.INGESTED)
    new = services.publish(services.copy_as_draft(row.pk, actor=None))
    assert listed("matched") == [file.pk]
    services.archive(new)
    assert listed("missing") == [file.pk]
    file.refresh_from_db()
    assert file.template_id == row.pk


def test_many_are_left_to_a_worker(
    row: HeaderTemplate, root: Path, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr(rematch, "ring_for", lambda *arguments: rung.append(arguments))
    monkeypatch.setattr(rematch, "MOST_AT_ONCE", 1)
    other = services.publish(draft(variant="other", ordinal=True))
    for number in range(3):
        waiting(root, number, template=row, match=EXACT, header=HEADER, **PERIOD)
    told = services.archiving_of(row.pk, sight=EVERYTHING)
    assert (told.pending_files, told.rematched, told.deferred) == (3, 0, 3)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.archive_template(row.pk, sight=EVERYTHING) == told
    assert rung == [(rematch.RECHECK_TASK, row.pk)]
    rematch.recheck_for(row.pk, look=lambda file: None)
    assert set(CatalogFile.objects.values_list("template_id", flat=True)) == {other.pk}


def test_a_draft_that_is_archived_takes_nothing_from_anybody(root: Path) -> None:
    told = services.archive_template(draft().pk, sight=EVERYTHING)
    assert (told.pending_files, told.rematched, told.deferred) == (0, 0, 0)
