"""What staff who are limited to some shops do in the console reaches nothing of the others, whatever they send."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from datasync import models
from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState, QuarantineState, TaskState, TemplateState
from datasync.quarantine import export, selectors
from tests.admin_rows import make_template
from tests.admin_sight import (
    Rows,
    act,
    address,
    limited,
    mine,
    theirs,
    told,
)
from tests.facts_support import make as make_fact
from tests.quarantine_rows import make_file, make_task
from tests.runs_support import bell

__all__ = ["bell", "limited", "mine", "theirs"]
pytestmark = pytest.mark.django_db
FILE, ROW, TASK = models.CatalogFile, models.QuarantinedRow, models.SyncProgressTask
FILES = reverse("admin:datasync_catalogfile_changelist")
TEMPLATES = reverse("admin:datasync_headertemplate_changelist")


def state_of(row: Any) -> str:
    row.refresh_from_db()
    return str(row.state)


def cells(response: Any) -> str:
    """Every text of a workbook."""
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    response.close()
    return " ".join(str(cell.value) for sheet in book for row in sheet for cell in row)


# Files


@pytest.mark.parametrize("action", ["sync", "sync_strictly", "sync_without_template"])
def test_a_sync_takes_files_in_sight(limited: Client, mine: Rows, theirs: Rows, bell: Any, action: str) -> None:
    act(limited, action, mine[FILE], theirs[FILE])
    task = TASK.objects.latest("pk")
    assert [item.file for item in task.items.all()] == [mine[FILE]]
    assert state_of(theirs[FILE]) == FileState.PENDING
    before = TASK.objects.count()
    act(limited, action, theirs[FILE])
    assert TASK.objects.count() == before


def test_a_deletion_takes_files_in_sight_even_where_the_form_names_others(
    limited: Client, mine: Rows, theirs: Rows
) -> None:
    asked = act(limited, "delete_chosen", mine[FILE], theirs[FILE]).content.decode()
    assert "mine.csv" in asked
    assert "theirs" not in asked
    forged = f"{mine[FILE].pk},{theirs[FILE].pk}"
    assert "1 file deleted" in told(act(limited, "delete_chosen", mine[FILE], rows="keep", file_ids=forged))
    assert (state_of(mine[FILE]), state_of(theirs[FILE])) == (FileState.DELETED, FileState.PENDING)
    only_theirs = act(limited, "delete_chosen", mine[FILE], rows="delete", file_ids=str(theirs[FILE].pk))
    assert "None of the files exists" in told(only_theirs)
    assert state_of(theirs[FILE]) == FileState.PENDING


def test_a_file_with_rows_of_other_shops_is_deleted_without_them(limited: Client, mine: Rows, theirs: Rows) -> None:
    fact = make_fact(models.OrderLine, mine[FILE], shop_id=theirs[models.Shop].pk, granularity="hourly")
    asked = act(limited, "delete_chosen", mine[FILE]).content.decode()
    assert 'value="keep"' in asked
    assert 'value="delete"' not in asked
    assert "theirs" not in asked
    assert "1 file deleted" in told(act(limited, "delete_chosen", mine[FILE], rows="keep"))
    assert models.OrderLine.objects.filter(pk=fact.pk).exists()


def test_a_deleted_file_out_of_sight_is_not_restored(limited: Client, mine: Rows, theirs: Rows) -> None:
    FILE.objects.update(state=FileState.DELETED)
    query = {"action": "restore_chosen", "_selected_action": [theirs[FILE].pk]}
    limited.post(f"{FILES}?state__exact=deleted", query)
    assert state_of(theirs[FILE]) == FileState.DELETED


@pytest.mark.django_db(transaction=True)
def test_a_rehearsal_shows_files_in_sight(limited: Client, mine: Rows, theirs: Rows) -> None:
    rehearsed = act(limited, "what_would_a_sync_do", mine[FILE], theirs[FILE]).content.decode()
    assert "mine.csv" in rehearsed
    assert "theirs" not in rehearsed


def test_an_export_of_files_holds_rows_in_sight(limited: Client, mine: Rows, theirs: Rows) -> None:
    exported = cells(act(limited, "export_quarantine", mine[FILE], theirs[FILE]))
    assert "order of mine" in exported
    assert "theirs" not in exported


def test_a_file_is_described_as_of_a_shop_in_sight(limited: Client, mine: Rows, theirs: Rows) -> None:
    page = address(FILE, "change", mine[FILE].pk)
    form = {"platform": "shopee", "source_platform": "shopee", "domain": "orders", "granularity": "daily"}
    for shop in (theirs[models.Shop].pk, ""):
        limited.post(page, {**form, "shop": shop})
        mine[FILE].refresh_from_db()
        assert mine[FILE].shop == mine[models.Shop]
    response = limited.post(page, {**form, "shop": mine[models.Shop].pk, "account": "the new one"})
    assert response.status_code == 302
    mine[FILE].refresh_from_db()
    assert mine[FILE].account == "the new one"
    assert limited.post(address(FILE, "change", theirs[FILE].pk), form).status_code == 404


def test_what_reaches_all_files_is_not_offered_and_refused(
    limited: Client, mine: Rows, tmp_path: Path, settings: Any
) -> None:
    settings.DATA_ROOTS, settings.GROWING_SECONDS = [tmp_path], 0
    (tmp_path / "shopee_orders_daily_20260101_000000.csv").write_text("Order ID,Quantity\nA,1\n")
    scan = reverse("admin:datasync_catalogfile_scan")
    listed = limited.get(FILES).content.decode()
    assert scan not in listed
    assert 'value="publish_suggestion"' not in listed
    assert limited.post(scan).status_code == 403
    act(limited, "publish_suggestion", mine[FILE])
    assert (FILE.objects.count(), models.HeaderTemplate.objects.count()) == (1, 0)


# Quarantine


def test_decisions_take_rows_in_sight(limited: Client, mine: Rows, theirs: Rows) -> None:
    both = (mine[ROW], theirs[ROW])
    fields = {"header": "Amount", "code": "INVALID_NUMBER", "replacement": "7"}
    assert "1 row corrected" in told(act(limited, "correct_column", *both, **fields))
    assert "1 row discarded" in told(act(limited, "discard", *both, note="broken"))
    act(limited, "release", *both)
    act(limited, "rehearse_release", *both)
    assert state_of(mine[ROW]) == QuarantineState.DISCARDED
    assert state_of(theirs[ROW]) == QuarantineState.OPEN
    assert theirs[ROW].corrected is None


@pytest.mark.parametrize("name", ["correct", "release", "discard"])
def test_the_buttons_of_a_row_out_of_sight_lead_nowhere(limited: Client, theirs: Rows, name: str) -> None:
    button = address(ROW, name, theirs[ROW].pk)
    assert limited.post(button, {"cell1": "1", "note": "x"}).status_code == 404
    assert state_of(theirs[ROW]) == QuarantineState.OPEN


@pytest.mark.parametrize("action", ["export_xlsx", "export_csv"])
def test_an_export_holds_rows_in_sight(limited: Client, mine: Rows, theirs: Rows, action: str) -> None:
    response = act(limited, action, mine[ROW], theirs[ROW])
    text = cells(response) if action == "export_xlsx" else b"".join(response.streaming_content).decode()
    response.close()
    assert "order of mine" in text
    assert "theirs" not in text


def test_a_sheet_with_rows_out_of_sight_corrects_none_of_these(limited: Client, mine: Rows, theirs: Rows) -> None:
    stream, _name = export.spooled(selectors.rows(sight=EVERYTHING), format="csv")
    with stream:
        sheet = stream.read().replace(b",x,", b",7,")
    limited.post(address(ROW, "import"), {"sheet": SimpleUploadedFile("rows.csv", sheet)})
    theirs[ROW].refresh_from_db()
    assert (theirs[ROW].corrected, theirs[ROW].state) == (None, QuarantineState.OPEN)


# Tasks


@pytest.fixture
def running(mine: Rows, theirs: Rows) -> models.SyncProgressTask:
    """A task over a file in sight and one that is not."""
    task = make_task(
        make_file("a.csv", shop=mine[models.Shop]), make_file("b.csv", shop=theirs[models.Shop]), task_id="r"
    )
    task.items.update(state=ItemState.QUEUED)
    TASK.objects.filter(pk=task.pk).update(state=TaskState.QUEUED)
    return task


def test_a_task_out_of_sight_is_neither_cancelled_nor_retried(
    limited: Client, running: models.SyncProgressTask, bell: Any
) -> None:
    act(limited, "cancel_chosen", running, confirmed="failed")
    assert state_of(running) == TaskState.QUEUED
    TASK.objects.filter(pk=running.pk).update(state=TaskState.FAILED)
    running.items.update(state=ItemState.FAILED)
    act(limited, "retry_chosen", running, confirmed="failed")
    assert not TASK.objects.filter(parent=running).exists()


# Templates, which are for the files of all shops


@pytest.fixture
def draft(db: None) -> models.HeaderTemplate:
    return make_template(state=TemplateState.DRAFT)


@pytest.mark.parametrize("action", ["publish", "archive", "remap"])
def test_what_acts_on_all_rows_is_not_offered_and_not_done(
    limited: Client, draft: models.HeaderTemplate, action: str
) -> None:
    assert f'value="{action}"' not in limited.get(TEMPLATES).content.decode()
    act(limited, action, draft, confirmed="yes", start="1")
    assert state_of(draft) == TemplateState.DRAFT
    assert not TASK.objects.filter(kind="remap").exists()


def test_template_files_are_not_imported(limited: Client, draft: models.HeaderTemplate) -> None:
    page = reverse("admin:datasync_headertemplate_import")
    assert page not in limited.get(TEMPLATES).content.decode()
    assert limited.get(page).status_code == 403
    assert limited.post(page, {"text": "x", "publish": "1"}).status_code == 403


def test_a_draft_is_made_by_who_is_limited_too(limited: Client, draft: models.HeaderTemplate) -> None:
    act(limited, "new_version", draft)
    assert models.HeaderTemplate.objects.count() == 2


def test_templates_are_compared_with_files_in_sight(limited: Client, mine: Rows, theirs: Rows) -> None:
    template = make_template()
    page = reverse("admin:datasync_headertemplate_compare", args=(template.pk,))
    offered = limited.get(page).content.decode()
    assert "mine.csv" in offered
    assert "theirs.csv" not in offered
    refused = limited.get(page, {"file": theirs[FILE].pk}).content.decode()
    assert "Select a valid choice" in refused
    assert "theirs.csv" not in refused
