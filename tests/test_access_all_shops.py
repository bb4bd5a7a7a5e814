"""What concerns all shops is refused to whoever is limited to some, whatever other rights they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from datasync.choices import ItemState, TaskKind, TaskState
from datasync.mapping import rematch
from datasync.mapping.publishing import publish
from datasync.mapping.versions import exported, find_template
from datasync.models import CatalogFile, HeaderTemplate, OrderLine, Shop, SyncProgressTask, SyncTaskFile
from datasync.tasks import recheck_files
from tests.access_support import (
    API,
    Belongings,
    foreign,
    limit,
    limited,
    mine,
    other,
    own,
    staff_with_all_rights,
)
from tests.api import client_of, data_of, error_of
from tests.facts_support import make
from tests.quarantine_rows import make_task
from tests.runs_support import bell
from tests.templates_support import draft, waiting

__all__ = ["bell", "foreign", "limited", "mine", "other", "own"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(mine: Shop) -> User:
    """Limited staff."""
    return limit(staff_with_all_rights("staff"), mine)


@pytest.fixture
def client(staff: User) -> APIClient:
    return client_of(staff)


@pytest.fixture
def template(db: None) -> HeaderTemplate:
    return publish(draft())


def refused(response: Any) -> None:
    error = error_of(response, 403)
    assert (error["code"], error["type"]) == ("LIMITED_TO_SHOPS", "permission")


@pytest.mark.parametrize("dry_run", [True, False])
def test_templates_are_put_into_use_by_others(client: APIClient, template: HeaderTemplate, dry_run: bool) -> None:
    new = draft(variant="second")
    for act in (f"{new.pk}/publish", f"{template.pk}/archive", f"{template.pk}/remap"):
        refused(client.post(f"{API}/templates/{act}", {"dry_run": dry_run}, format="json"))
    name, text = exported(find_template(template.pk))
    sheet = SimpleUploadedFile(name, text.encode())
    refused(client.post(f"{API}/templates/import", {"file": sheet, "dry_run": dry_run}, format="multipart"))
    assert [row.state for row in HeaderTemplate.objects.order_by("pk")] == ["published", "draft"]


def test_templates_are_read_by_all(client: APIClient, template: HeaderTemplate) -> None:
    assert [one["id"] for one in data_of(client.get(f"{API}/templates"))] == [template.pk]
    assert data_of(client.get(f"{API}/templates/{template.pk}"))["id"] == template.pk


def test_a_suggestion_is_published_by_others(
    client: APIClient, own: Belongings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasync.mapping.services.suggest_for_file", lambda *_: None)
    monkeypatch.setattr("datasync.api.views.template_use.hindrance", lambda *_: None)
    refused(client.post(f"{API}/templates/suggest", {"file_id": own.file.pk, "publish": True}, format="json"))


def test_folders_are_scanned_by_others(client: APIClient) -> None:
    refused(client.post(f"{API}/files/refresh"))


def test_a_remap_is_retried_by_others(client: APIClient, own: Belongings, template: HeaderTemplate, bell: Any) -> None:
    task = make_task(
        own.file, task_id="remap_1", state=TaskState.PARTIAL, options={"template_id": template.pk}, owner=None
    )
    SyncTaskFile.objects.filter(task=task).update(state=ItemState.FAILED)
    SyncProgressTask.objects.filter(pk=task.pk).update(kind=TaskKind.REMAP)
    refused(client.post(f"{API}/retry-task/remap_1", {}, format="json"))


def test_rows_of_other_shops_do_not_go_with_a_file(client: APIClient, own: Belongings, other: Shop) -> None:
    make(OrderLine, own.file, order_id="of the other", shop_id=other.pk)
    impact = data_of(client.get(f"{API}/files/{own.file.pk}/delete-impact"))
    assert sorted((part["shop_id"], part["rows"]) for part in impact["by_scope"]) == [("", 1), ("mine", 1)]
    refused(client.delete(f"{API}/files/{own.file.pk}?rows=delete"))
    refused(client.delete(f"{API}/files/batch", {"file_ids": [own.file.pk], "rows": "delete"}, format="json"))
    assert OrderLine.objects.count() == 2
    assert data_of(client.delete(f"{API}/files/{own.file.pk}?rows=keep"))["files"] == [own.file.pk]


def test_waiting_files_of_others_do_not_look_again(client: APIClient, own: Belongings, foreign: Belongings) -> None:
    for one in (own, foreign):
        type(one.file).objects.filter(pk=one.file.pk).update(state="pending")
    told = data_of(client.post(f"{API}/files/recheck", {"dry_run": True}, format="json"))
    assert told["looked_at"] == 1
    named = data_of(client.post(f"{API}/files/recheck", {"file_ids": [foreign.file.pk]}, format="json"))
    assert named["looked_at"] == 0


def test_nor_does_a_worker_look_at_files_of_others(
    client: APIClient,
    staff: User,
    mine: Shop,
    other: Shop,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    """What is left to one when somebody limited asks: files in sight, and no more once fewer are."""
    settings.DATA_ROOTS = [tmp_path]
    rung: list[tuple[Any, ...]] = []
    monkeypatch.setattr(rematch, "ring_for", lambda *told: rung.append(told))
    publish(draft())
    days: dict[str, Any] = {"period_start": "2026-01-01", "period_end": "2026-01-01"}
    seen = [waiting(tmp_path, number, shop=mine, **days) for number in range(3)]
    hidden = waiting(tmp_path, 3, shop=other, **days)
    monkeypatch.setattr(rematch, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(rematch, "_LOT", 1)
    with django_capture_on_commit_callbacks(execute=True):
        told = data_of(client.post(f"{API}/files/recheck", {}, format="json"))
    assert (told["looked_at"], told["deferred"]) == (1, 2)
    ((name, *given),) = rung
    assert name == rematch.RECHECK_TASK
    recheck_files(*given)
    assert CatalogFile.objects.filter(template=None).get() == hidden
    CatalogFile.objects.filter(pk=seen[0].pk).update(template=None)
    limit(staff)
    recheck_files(*given)
    assert CatalogFile.objects.filter(template=None).count() == 2
