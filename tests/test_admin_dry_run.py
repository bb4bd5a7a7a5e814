"""“What would a sync do?” in the list of files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from datasync.admin import dry_run as page
from datasync.catalog.services import catalogue_path
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, QuarantinedRow, SyncProgressTask
from tests.dry_runs import snapshot
from tests.order_exports import line, run, shop_folder, text
from tests.runs_support import bell
from tests.test_admin_actions import FILES, act, told

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
ACTION = "what_would_a_sync_do"


@pytest.fixture
def inbox(tmp_path: Path, settings: Any) -> Path:
    """A shop's folder in a root of its own, with the built-in templates loaded."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return shop_folder(tmp_path)


def export(inbox: Path, day: int, *lines: list[str]) -> CatalogFile:
    path = inbox / f"shopee_orders_daily_202603{day:02d}_100000.csv"
    path.write_text(text(lines))
    return catalogue_path(path)


def test_a_page_says_what_would_become_of_each_file(admin_client: Client, inbox: Path) -> None:
    first = export(inbox, 6, line("A1"))
    run(first)
    second = export(inbox, 8, line("A1", price="30.00"), line("A2", price="<b>bold</b>"))
    before = snapshot()
    response = act(admin_client, FILES, ACTION, first, second)
    shown = response.content.decode()
    assert response.status_code == 200
    assert {table for table, rows in snapshot().items() if rows != before[table]} <= {"django_session"}
    assert "unit_price</td><td>20.0000</td><td>30.0000" in shown
    assert "&lt;b&gt;bold" in shown
    assert "<b>bold" not in shown
    assert "INVALID_NUMBER" in shown
    ids = re.findall(r'name="_selected_action" value="(\d+)"', shown)
    assert sorted(map(int, ids)) == sorted([first.pk, second.pk])
    assert not QuarantinedRow.objects.exists()
    act(admin_client, FILES, "sync", second)
    assert SyncProgressTask.objects.count() == 2


def test_what_would_be_refused_and_what_is_too_large(admin_client: Client, inbox: Path, settings: Any) -> None:
    gone, large = export(inbox, 6, line("A1")), export(inbox, 7, *[line(f"A{number}") for number in range(50)])
    Path(gone.root, gone.storage_name).unlink()
    settings.DRY_RUN_MOST_BYTES = gone.size + 1
    shown = act(admin_client, FILES, ACTION, gone, large).content.decode()
    assert "SOURCE_MISSING" in shown
    assert "TOO_LARGE" in shown
    settings.DRY_RUN_MOST_BYTES, settings.DRY_RUN_SECONDS = large.size, 0
    assert "more than 0 s" in act(admin_client, FILES, ACTION, large).content.decode()


def test_not_too_many_files_at_once(admin_client: Client, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_FILES", 1)
    assert "at most" in told(act(admin_client, FILES, ACTION, export(inbox, 6, line("A1")), export(inbox, 7)))


def test_who_may_look_but_not_sync_gets_no_button(inbox: Path, client: Client) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_catalogfile"))
    client.force_login(viewer)
    shown = act(client, FILES, ACTION, export(inbox, 6, line("A1"))).content.decode()
    assert "A1" in shown
    assert 'value="sync"' not in shown
