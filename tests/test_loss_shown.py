"""Lost rows where people look: a warning of the task that lost too many, and the equation on the operators' pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from datasync.access import EVERYTHING
from datasync.choices import QuarantineState
from datasync.ingest.plan import Counts
from datasync.models import SyncProgressTask
from datasync.runs import services
from datasync.runs.turns import take_turn
from tests.flows import quarantine, synced
from tests.runs_support import Bell, Ingest, bell, ingest, make_file

__all__ = ["bell", "ingest"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    return browser


def warnings_after(ingest: Ingest, counts: Counts) -> list[dict[str, Any]]:
    file = make_file()
    ingest.ends[file.pk] = counts
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    take_turn()
    warnings: list[dict[str, Any]] = SyncProgressTask.objects.get(pk=task.pk).warnings
    return [warning for warning in warnings if warning["code"] == "LOSS_ABOVE_THRESHOLD"]


@pytest.mark.django_db(transaction=True)
def test_a_task_that_lost_too_many_rows_is_warned_of(bell: Bell, ingest: Ingest, settings: Any) -> None:
    (warning,) = warnings_after(ingest, Counts(read=100, inserted=94, quarantined=6))
    assert (warning["lost_percent"], warning["threshold"]) == (6.0, 5.0)
    assert warnings_after(ingest, Counts(read=100, inserted=95, quarantined=5)) == []
    assert warnings_after(ingest, Counts()) == []
    settings.LOSS_ALERT_PERCENT = 0.0
    assert len(warnings_after(ingest, Counts(read=1000, inserted=999, quarantined=1))) == 1


def test_pages_of_files_and_tasks_show_where_the_rows_are(browser: Client) -> None:
    item = synced(make_file(), read=10, inserted=6, quarantined=4)
    quarantine(item, QuarantineState.OPEN, QuarantineState.RELEASED, QuarantineState.DISCARDED)
    for model, key in (("catalogfile", item.file_id), ("syncprogresstask", item.task_id)):
        page = browser.get(reverse(f"admin:datasync_{model}_change", args=(key,))).content.decode()
        assert "balanced" in page
        assert "30 % lost" in page
        assert "released since" in page


def test_a_file_never_synced_shows_no_equation(browser: Client) -> None:
    page = browser.get(reverse("admin:datasync_catalogfile_change", args=(make_file().pk,))).content.decode()
    assert "balanced" not in page
