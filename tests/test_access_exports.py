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

from datasync.choices import ExportKind
from datasync.exports import make as make_module
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


def made(client: APIClient, *files: int) -> dict[str, Any]:
    """An archive that is ready, and its link."""
    export_id = ask(client, *files)["id"]
    make_export(export_id)
    told: dict[str, Any] = data_of(client.get(f"{EXPORTS}/{export_id}"))
    return told


def holds(link: str) -> bool:
    """Whether whoever has the link, and nothing else, gets the archive."""
    response: Any = APIClient().get(link)
    if response.status_code == 200:
        return len(b"".join(response.streaming_content)) > 0
    assert error_of(response, 410)["code"] == "LINK_EXPIRED"
    return False


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


@pytest.mark.django_db(transaction=True)
def test_what_was_made_with_more_in_sight_is_gone_for_whoever_is_limited(own: Belongings, other: Shop) -> None:
    """The file stays in sight, and wrote rows of the other shop: the archive and its link go, a new one has none."""
    make(OrderLine, own.file, order_id="of the other", shop_id=other.pk)
    free = person("free")
    old = made(client_of(free), own.file.pk)
    assert holds(old["download_url"])
    limit(free, own.shop)
    assert error_of(client_of(free).get(f"{EXPORTS}/{old['id']}"), 404)["code"] == "EXPORT_NOT_FOUND"
    assert not holds(old["download_url"])
    new = made(client_of(free), own.file.pk)
    assert holds(new["download_url"])
    limit(free, own.shop, other)
    assert holds(new["download_url"])
    assert not holds(old["download_url"])


@pytest.mark.django_db(transaction=True)
def test_whoever_is_limited_while_it_is_made_does_not_get_it(own: Belongings, monkeypatch: pytest.MonkeyPatch) -> None:
    free, add = person("free"), make_module._MAKERS[ExportKind.CLEANED]

    def limited_meanwhile(*told: Any) -> bool:
        limit(free, own.shop)
        return add(*told)

    monkeypatch.setitem(make_module._MAKERS, ExportKind.CLEANED, limited_meanwhile)
    told = ask(client_of(free), own.file.pk)
    make_export(told["id"])
    assert ExportArchive.objects.get(pk=told["id"]).state == "ready"
    assert error_of(client_of(free).get(f"{EXPORTS}/{told['id']}"), 404)["code"] == "EXPORT_NOT_FOUND"


@pytest.mark.django_db(transaction=True)
def test_a_link_holds_as_long_as_who_got_it_may_see_the_archive(client: APIClient, own: Belongings) -> None:
    told = made(client, own.file.pk)
    boss, helper = person("boss", is_staff=True), person("helper", is_staff=True)
    links = {who: data_of(client_of(who).get(f"{EXPORTS}/{told['id']}"))["download_url"] for who in (boss, helper)}
    assert all(holds(link) for link in links.values())
    limit(boss, own.shop)
    helper.is_active = False
    helper.save()
    assert not any(holds(link) for link in links.values())
    assert holds(told["download_url"])
    own.file.shop = None
    own.file.save()
    assert not holds(told["download_url"])


def test_limited_staff_sees_own_archives_alone(own: Belongings, mine: Shop) -> None:
    staff = person("staff", is_staff=True)
    assert data_of(client_of(staff).get(f"{EXPORTS}/{own.export.pk}"))["id"] == own.export.pk
    limit(staff, mine)
    assert error_of(client_of(staff).get(f"{EXPORTS}/{own.export.pk}"), 404)["code"] == "EXPORT_NOT_FOUND"
