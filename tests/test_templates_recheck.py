"""Files that wait for a template look again: each that fits once, few queries, nothing lost when there are many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.choices import FileState
from datasync.mapping import rematch, services
from datasync.mapping.rematch import RECHECK_TASK, recheck, recheck_soon, waiting_files
from datasync.mapping.store import shelf
from datasync.mapping.template_file import builtin_templates
from datasync.models import CatalogFile
from datasync.tasks import recheck_files
from tests.templates_support import FAMILY, HEADER, draft, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_ROOTS = [tmp_path]
    return tmp_path


@pytest.fixture
def stranded(root: Path) -> CatalogFile:
    """A file that waits although a template fits it: it was published when nobody rang."""
    file = waiting(root, period_start="2026-01-01", period_end="2026-01-01")
    row = services.publish(draft())
    CatalogFile.objects.filter(pk=file.pk).update(template=None, match={}, state=FileState.TEMPLATE_UPDATE_REQUIRED)
    assert row.pk in shelf().by_id
    return file


def test_publishing_gives_the_template_to_those_that_wait(root: Path) -> None:
    file = waiting(root, state=FileState.TEMPLATE_UPDATE_REQUIRED)
    other = waiting(root, 2, header=["a", "b"])
    row = draft()
    assert services.publishing_of(row.pk, sight=EVERYTHING).files == 1
    assert services.publish_draft(row.pk, sight=EVERYTHING).files == 1
    file.refresh_from_db()
    assert (file.template_id, file.state, file.template_fit) == (row.pk, FileState.PENDING, "exact")
    other.refresh_from_db()
    assert other.template_id is None


def test_a_dry_run_says_what_the_recheck_then_does(stranded: CatalogFile) -> None:
    planned = recheck(waiting_files(), dry_run=True)
    stranded.refresh_from_db()
    assert stranded.template_id is None
    done = recheck(waiting_files())
    assert done == planned
    assert (done.looked_at, done.pending, [one.file_id for one in done.files]) == (1, 1, [stranded.pk])
    stranded.refresh_from_db()
    assert (stranded.state, stranded.last_error) == (FileState.PENDING, {})
    assert recheck(waiting_files()).looked_at == 0


def test_what_else_is_open_is_still_asked_for(stranded: CatalogFile) -> None:
    CatalogFile.objects.filter(pk=stranded.pk).update(shop=None)
    assert recheck(waiting_files()).needs_description == 1
    stranded.refresh_from_db()
    assert (stranded.state, stranded.last_error["code"]) == (FileState.NEEDS_DESCRIPTION, "NEEDS_DESCRIPTION")


@pytest.mark.parametrize("state", [state for state in FileState if state not in {
    FileState.TEMPLATE_UPDATE_REQUIRED, FileState.PENDING, FileState.NEEDS_DESCRIPTION}])  # fmt: skip
def test_other_states_are_left_alone(stranded: CatalogFile, state: FileState) -> None:
    CatalogFile.objects.filter(pk=stranded.pk).update(state=state)
    assert recheck(waiting_files()).looked_at == 0


def test_a_file_whose_bytes_are_gone_stays(stranded: CatalogFile, root: Path) -> None:
    (root / stranded.storage_name).unlink()
    assert recheck(waiting_files()).gone == 1
    stranded.refresh_from_db()
    assert stranded.state == FileState.TEMPLATE_UPDATE_REQUIRED


def test_a_template_that_failed_the_file_is_not_given_again(stranded: CatalogFile) -> None:
    (stored,) = shelf().by_family[FAMILY]
    CatalogFile.objects.filter(pk=stranded.pk).update(template_id=stored.id)
    assert recheck(waiting_files()).still_waiting == 1


@pytest.mark.parametrize("filters", [{"platform": "tiktok"}, {"domain": "products"}, {"file_ids": [2**31]}])
def test_filters(stranded: CatalogFile, filters: dict[str, Any]) -> None:
    assert recheck_soon(**filters, sight=EVERYTHING).looked_at == 0
    matching: dict[str, Any] = {"platform": "shopee", "domain": "orders", "file_ids": [stranded.pk]}
    assert recheck_soon(**{name: matching[name] for name in filters}, sight=EVERYTHING).pending == 1


def test_queries_grow_with_lots_and_not_with_files(stranded: CatalogFile, root: Path) -> None:
    def queries(count: int) -> int:
        CatalogFile.objects.exclude(pk=stranded.pk).delete()
        for number in range(2, 2 + count):
            waiting(root, number)
        shelf()
        with CaptureQueriesContext(connection) as captured:
            assert recheck(waiting_files(), dry_run=False).looked_at >= count
        return len(captured)

    few = queries(5)
    assert queries(80) == few


def test_many_are_left_to_a_worker(
    stranded: CatalogFile,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr(rematch, "ring_for", lambda *arguments: rung.append(arguments))
    monkeypatch.setattr(rematch, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(rematch, "_LOT", 1)
    waiting(root, 2)
    row = draft(header_row=1)
    with django_capture_on_commit_callbacks(execute=True):
        done = services.publish_draft(row.pk, sight=EVERYTHING)
        asked = recheck_soon(platform="shopee", sight=EVERYTHING)
    assert (done.files, done.deferred) == (0, 2)
    assert (asked.looked_at, asked.deferred) == (1, 1)
    assert rung == [(RECHECK_TASK, row.pk), (RECHECK_TASK, None, "shopee", "", None)]
    recheck_files(row.pk)
    assert not CatalogFile.objects.filter(template=None).exists()


def test_a_header_in_another_place_is_found_by_reading(
    root: Path, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    """The catalogue took a line above for the header; the template knows better."""
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr(rematch, "ring_for", lambda *arguments: rung.append(arguments))
    file = waiting(root, header=["a", "b", "c"], period_start="2026-01-01", period_end="2026-01-01", format="csv")
    (root / file.storage_name).write_text("a,b,c\nOrder ID,SKU,Quantity\nA1,S1,2\nA2,S2,1\n")
    row = draft(header_row=1)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.publish_draft(row.pk, sight=EVERYTHING).deferred == 1
    assert rung == [(RECHECK_TASK, row.pk)]
    assert recheck(waiting_files(), dry_run=True).unread == 1
    recheck_files(row.pk)
    file.refresh_from_db()
    assert (file.template_id, file.state, file.header) == (row.pk, FileState.PENDING, HEADER)


def test_loading_the_builtin_templates_frees_files_that_were_there_first(root: Path) -> None:
    known = next(one for one in builtin_templates() if one.family == FAMILY)
    file = waiting(root, header=list(known.header))
    services.load_builtin_templates()
    file.refresh_from_db()
    assert (file.template_id is None, file.template_fit) == (False, "exact")
