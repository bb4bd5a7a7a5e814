"""A deleted file is gone for every door."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasync.access import EVERYTHING
from datasync.catalog.correct import describe_file
from datasync.catalog.selectors import file_by_id, files, pending_files
from datasync.choices import FileState
from datasync.exceptions import DataNotFound, FileNotFound
from datasync.management.arguments import find_file
from datasync.models import CatalogFile, SyncProgressTask
from datasync.runs import services as runs
from datasync.runs.taking import take_chosen
from tests.api import client_of, data_of, error_of, owner, staff
from tests.quarantine_rows import make_file, make_task
from tests.runs_support import Bell, bell

__all__ = ["bell", "owner", "staff"]
pytestmark = pytest.mark.django_db
API = "/api/data-sync"


@pytest.fixture
def gone() -> CatalogFile:
    return make_file("gone.csv", state=FileState.DELETED)


def test_for_the_selectors(gone: CatalogFile) -> None:
    assert not files(sight=EVERYTHING).exists()
    assert not pending_files(sight=EVERYTHING).exists()
    for look_up in (partial(file_by_id, sight=EVERYTHING), find_file):
        with pytest.raises(FileNotFound):
            look_up(gone.pk)
    with pytest.raises(FileNotFound):
        describe_file(gone, account="x", sight=EVERYTHING)


def test_for_a_sync(gone: CatalogFile, bell: Bell) -> None:
    with pytest.raises(FileNotFound):
        runs.submit_single(file_id=gone.pk, owner=None, sight=EVERYTHING)
    with pytest.raises(DataNotFound):
        runs.submit_by_ids(file_ids=[gone.pk], owner=None, sight=EVERYTHING)
    there = make_file("there.csv", state=FileState.PENDING)
    submission = runs.submit_by_ids(file_ids=[gone.pk, there.pk], owner=None, sight=EVERYTHING)
    assert (submission.missing_file_ids, submission.task.total_files) == ((gone.pk,), 1)


def test_for_a_submit_that_saw_it_a_moment_before(gone: CatalogFile) -> None:
    task = make_task()
    assert take_chosen(task, [gone.pk], sight=EVERYTHING) == 0
    gone.refresh_from_db()
    assert gone.state == FileState.DELETED


@pytest.mark.parametrize(
    ("method", "address", "body"),
    [
        ("get", "files/{}", None),
        ("patch", "files/{}", {"account": "x"}),
        ("delete", "files/{}?rows=delete", None),
        ("get", "files/{}/profile", None),
        ("get", "files/{}/delete-impact", None),
        ("post", "preview", {"file_id": "{}"}),
        ("post", "single", {"file_id": "{}"}),
    ],
)
def test_for_the_api(gone: CatalogFile, staff: User, method: str, address: str, body: dict[str, Any] | None) -> None:
    User.objects.filter(pk=staff.pk).update(is_superuser=True)
    client = client_of(staff)
    given = {name: gone.pk if value == "{}" else value for name, value in body.items()} if body else None
    response = getattr(client, method)(f"{API}/{address.format(gone.pk)}", given)
    assert error_of(response, 404)["code"] == "FILE_NOT_FOUND"
    assert not SyncProgressTask.objects.exists()


@pytest.mark.parametrize(
    ("method", "address"), [("post", "files/batch-delete-impact"), ("delete", "files/batch"), ("post", "batch-by-ids")]
)
def test_for_the_api_among_others(gone: CatalogFile, staff: User, method: str, address: str) -> None:
    User.objects.filter(pk=staff.pk).update(is_superuser=True)
    response = getattr(client_of(staff), method)(f"{API}/{address}", {"file_ids": [gone.pk]})
    assert error_of(response, 404)["code"] == "DATA_NOT_FOUND"


def test_in_the_list(gone: CatalogFile, owner: User) -> None:
    client: APIClient = client_of(owner)
    assert data_of(client.get(f"{API}/files")) == []
    assert list(error_of(client.get(f"{API}/files", {"status": "deleted"}), 400)["fields"]) == ["status"]
