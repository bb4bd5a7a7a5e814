"""Whoever is limited to shops says of a file only that it is of one of these, when it is uploaded and afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from datasync.access import Sight
from datasync.catalog.services import Description, store_upload
from datasync.exceptions import InvalidRequest
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, Shop, ShopAlias
from tests.access_support import API, Belongings, client, foreign, limited, mine, other, own
from tests.api import client_of, data_of, error_of, person
from tests.catalog_support import FILE, products

__all__ = ["client", "foreign", "limited", "mine", "other", "own"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> Path:
    """Folders of the test's own; gives that of uploads."""
    settings.DATA_ROOTS, settings.UPLOAD_DIR = [tmp_path / "inbox"], tmp_path / "uploads"
    (tmp_path / "inbox").mkdir()
    load_builtin_templates()
    return tmp_path / "uploads"


def upload(client: APIClient, content: bytes = products("1"), name: str = FILE, **told: str) -> Any:
    return client.post(f"{API}/files", {"file": [SimpleUploadedFile(name, content)], **told}, format="multipart")


def store(user: User, told: Description, content: bytes = products("1")) -> CatalogFile:
    uploaded = SimpleUploadedFile(FILE, content)
    return store_upload(uploaded=uploaded, description=told, actor=user, sight=Sight.of(user))


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_an_upload_of_a_shop_in_sight(client: APIClient, limited: User) -> None:
    (given,) = data_of(upload(client, shop_id="mine"), 201)
    file = CatalogFile.objects.get(pk=given["file"]["id"])
    assert (file.shop and file.shop.shop_id, file.uploaded_by) == ("mine", limited)


@pytest.mark.parametrize("shop_id", ["other", "made-up"])
def test_an_upload_of_another_shop_is_refused(client: APIClient, other: Shop, folders: Path, shop_id: str) -> None:
    error = error_of(upload(client, shop_id=shop_id), 400)
    assert (error["code"], set(error["fields"])) == ("VALIDATION_ERROR", {"shop_id"})
    assert not CatalogFile.objects.exists()
    assert kept(folders) == []
    assert not Shop.objects.filter(shop_id="made-up").exists()


@pytest.mark.parametrize("label", ["Shop other", "other", "made up"])
def test_so_it_is_by_its_label(limited: User, other: Shop, label: str) -> None:
    with pytest.raises(InvalidRequest):
        store(limited, Description(shop_label=label))


def test_a_label_is_not_learnt_from_whoever_is_limited(limited: User, mine: Shop) -> None:
    """Rows of files without a shop are told apart by labels: a label of one's own would bring them into sight."""
    assert store(limited, Description(shop_id="mine", shop_label="Flagship store")).shop == mine
    assert store(limited, Description(shop_label="Shop mine")).shop == mine
    assert not ShopAlias.objects.exists()
    store(person("free"), Description(shop_id="mine", shop_label="Flagship store"), products("2"))
    assert ShopAlias.objects.get().shop == mine


def test_an_upload_without_a_shop_is_seen_by_who_brought_it(client: APIClient, mine: Shop) -> None:
    (given,) = data_of(upload(client), 201)
    address = f"{API}/files/{given['file']['id']}"
    assert data_of(client.get(address))["shop"] is None
    teammate = client_of(person("free"))
    assert data_of(teammate.get(address))["id"] == given["file"]["id"]
    described = data_of(client.patch(address, {"shop_id": "mine"}, format="json"))
    assert described["shop"]["shop_id"] == "mine"


def test_the_same_bytes_of_somebody_else_are_not_found(client: APIClient) -> None:
    (theirs,) = data_of(upload(client_of(person("free"))), 201)
    (given,) = data_of(upload(client), 201)
    assert given["file"]["id"] != theirs["file"]["id"]
    assert error_of(client.get(f"{API}/files/{theirs['file']['id']}"), 404)["code"] == "FILE_NOT_FOUND"


@pytest.mark.parametrize("told", [{"shop_id": "other"}, {"shop_id": "made-up"}, {"shop_id": None}])
def test_a_file_stays_in_sight(
    client: APIClient, own: Belongings, foreign: Belongings, told: dict[str, str | None]
) -> None:
    error = error_of(client.patch(f"{API}/files/{own.file.pk}", told, format="json"), 400)
    assert set(error["fields"]) == {"shop_id"}
    own.file.refresh_from_db()
    assert own.file.shop == own.shop


def test_what_is_said_of_an_unknown_shop_and_of_a_hidden_one_is_the_same(client: APIClient, own: Belongings) -> None:
    address = f"{API}/files/{own.file.pk}"
    unknown = error_of(client.patch(address, {"shop_id": "other"}, format="json"), 400)
    Shop.objects.create(platform_id="shopee", shop_id="other")
    assert error_of(client.patch(address, {"shop_id": "other"}, format="json"), 400) == unknown
