"""Every address under ``/api/`` is the same with a slash at its end and without."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.api import client_of, data_of, error_of, owner
from tests.quarantine_rows import make_file

__all__ = ["owner"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.mark.parametrize("address", ["data-sync/files", "data-sync/templates", "data-sync/quarantine", "auth/me"])
def test_reading(client: APIClient, address: str) -> None:
    assert data_of(client.get(f"/api/{address}/")) == data_of(client.get(f"/api/{address}"))


@pytest.mark.parametrize("slash", ["", "/"])
def test_changing(client: APIClient, slash: str) -> None:
    file = make_file()
    told = data_of(client.patch(f"/api/data-sync/files/{file.pk}{slash}", {"account": "shop-7"}))
    assert told["account"] == "shop-7"


@pytest.mark.parametrize("address", ["schema", "schema/", "docs", "docs/"])
def test_the_document(client: APIClient, address: str) -> None:
    assert client.get(f"/api/{address}").status_code == 200


@pytest.mark.parametrize("address", ["nothing", "nothing/", "data-sync/files//", "/"])
def test_what_is_at_neither_address(client: APIClient, address: str) -> None:
    assert error_of(client.get(f"/api/{address}"), 404)["code"] == "NOT_FOUND"
