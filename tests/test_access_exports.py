"""Archives of a limited person: made of what is in sight as they are made, and hidden once a file of theirs is not."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasync.exports import services, storage
from datasync.exports.make import make_export
from datasync.models import ExportArchive, OrderLine, Shop
from tests.access_support import API, Belongings, client, foreign, limit, limited, mine, other, own
from tests.api import client_of, data_of, error_of, person
from tests.facts_support import make

__all__ = ["client", "foreign", "limited", "mine", "other", "own"]
pytestmark = pytest.mark.django_db
EXPORTS = f"{API}/exports"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EXPORT_DIR = tmp_path
    monkeypatch.setattr(services, "ring_for", lambda *_: True)


def ask(client: APIClient, *files: int, what: str = "cleaned") -> dict[str, Any]:
    told: dict[str, Any] = data_of(client.post(EXPORTS, {"file_ids": list(files), "what": what}, format="json"), 202)
    return told


def members(export_id: int) -> zipfile.ZipFile:
    archive = ExportArchive.objects.get(pk=export_id)
    assert archive.state == "ready", archive.error
    return zipfile.ZipFile(storage.path_of(archive.storage_name))


def test_files_out_of_sight_are_missing(client: APIClient, own: Belongings, foreign: Belongings) -> None:
    told = ask(client, own.file.pk, foreign.file.pk)
    assert (told["missing_file_ids"], told["files"]) == ([foreign.file.pk], 1)


@pytest.mark.django_db(transaction=True)  # the rows are read on a connection of their own
def test_rows_of_other_shops_are_left_out(client: APIClient, own: Belongings, other: Shop) -> None:
    make(OrderLine, own.file, order_id="of the other", shop_id=other.pk)
    told = ask(client, own.file.pk)
    make_export(told["id"])
    with members(told["id"]) as archive:
        (name,) = archive.namelist()
        rows = list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
    assert [row["order_id"] for row in rows] == ["mine-1"]


def test_what_left_the_sight_before_it_was_made_is_left_out(
    client: APIClient, own: Belongings, other: Shop, limited: User, foreign: Belongings
) -> None:
    limit(limited, own.shop, other)
    told = ask(client, own.file.pk, foreign.file.pk)
    limit(limited, own.shop)
    make_export(told["id"])
    with members(told["id"]) as archive:
        assert f"{foreign.file.pk}: deleted" in archive.read("not included.txt").decode()


def test_an_archive_is_seen_as_long_as_all_its_files_are(client: APIClient, own: Belongings, other: Shop) -> None:
    assert data_of(client.get(f"{EXPORTS}/{own.export.pk}"))["id"] == own.export.pk
    own.file.shop = other
    own.file.save()
    assert error_of(client.get(f"{EXPORTS}/{own.export.pk}"), 404)["code"] == "EXPORT_NOT_FOUND"


def test_limited_staff_sees_own_archives_alone(own: Belongings, mine: Shop) -> None:
    staff = person("staff", is_staff=True)
    assert data_of(client_of(staff).get(f"{EXPORTS}/{own.export.pk}"))["id"] == own.export.pk
    limit(staff, mine)
    assert error_of(client_of(staff).get(f"{EXPORTS}/{own.export.pk}"), 404)["code"] == "EXPORT_NOT_FOUND"
