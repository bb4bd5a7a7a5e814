"""Each filter and each ordering of the catalogue's list does what its name says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from datasync.choices import FileState
from datasync.models import CatalogFile, Shop
from tests.api import client_of, data_of, error_of, owner
from tests.quarantine_rows import make_file
from tests.runs_support import make_template

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
FILES = "/api/data-sync/files"
BLOCKED = {"outcome": "blocked", "template": "x", "score": 0.5, "binding": {}}
AT = datetime(2026, 3, 6, 8, tzinfo=UTC)


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def files() -> None:
    """Five files, each unlike the others in what can be asked for; ``gone`` is deleted."""
    make_file("a.csv", size=30, collected_at=AT, first_seen_at=AT, synced_at=AT, state=FileState.INGESTED)
    other = Shop.objects.create(platform_id="shopee", shop_id="my1")
    later = AT + timedelta(days=1)
    make_file(
        "b.csv", size=20, collected_at=later, first_seen_at=later, synced_at=later, shop=other, granularity="weekly"
    )
    make_file("c.csv", size=10, domain="services", sub_domain="agent", template=make_template())
    make_file("d.csv", size=40, match=BLOCKED, template=make_template())
    make_file("e.csv", size=50, state=FileState.TEMPLATE_UPDATE_REQUIRED)
    make_file("gone.csv", size=60, state=FileState.DELETED)


def names(client: APIClient, **query: str | int) -> str:
    return "".join(file["original_name"][0] for file in data_of(client.get(FILES, query)))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "edcba"),
        ({"platform": "shopee"}, "edcba"),
        ({"platform": "tiktok"}, ""),
        ({"domain": "services"}, "c"),
        ({"sub_domain": "agent"}, "c"),
        ({"sub_domain": "ai_assistant"}, ""),
        ({"granularity": "weekly"}, "b"),
        ({"status": "ingested"}, "a"),
        ({"shop": "my1"}, "b"),
        ({"shop": "my"}, ""),
        ({"template_status": "matched"}, "c"),
        ({"template_status": "missing"}, "ba"),
        ({"template_status": "update_required"}, "ed"),
        ({"search": "B.C"}, "b"),
        ({"domain": "orders", "granularity": "daily", "template_status": "missing"}, "a"),
        ({"page": 2, "page_size": 2}, "cb"),
        ({"page": 9}, ""),
    ],
)
def test_filters(client: APIClient, files: None, query: dict[str, str | int], found: str) -> None:
    assert names(client, **query) == found


@pytest.mark.parametrize(
    ("ordering", "found"),
    [
        ("id", "abcde"),
        ("-id", "edcba"),
        ("original_name", "abcde"),
        ("-original_name", "edcba"),
        ("size", "cbade"),
        ("-size", "edabc"),
        ("status", "abcde"),
    ],
)
def test_orderings(client: APIClient, files: None, ordering: str, found: str) -> None:
    assert names(client, ordering=ordering) == found


@pytest.mark.parametrize("ordering", ["first_seen_at", "synced_at", "collected_at"])
def test_orderings_by_time(client: APIClient, files: None, ordering: str) -> None:
    assert [name for name in names(client, ordering=ordering) if name in "ab"] == ["a", "b"]
    assert [name for name in names(client, ordering=f"-{ordering}") if name in "ab"] == ["b", "a"]


def test_a_template_is_told_as_the_filter_finds_it(client: APIClient, files: None) -> None:
    told = {file["original_name"][0]: file["template_status"] for file in data_of(client.get(FILES))}
    expected = {"a": "missing", "b": "missing", "c": "matched", "d": "update_required", "e": "update_required"}
    assert told == expected
    for file in CatalogFile.objects.exclude(state=FileState.DELETED):
        one = data_of(client.get(f"{FILES}/{file.pk}"))["template_status"]
        assert one == expected[file.original_name[0]], "the file's own page agrees"


@pytest.mark.parametrize(
    "query",
    [
        {"granularity": "yearly"}, {"sub_domain": "x"}, {"domain": ""}, {"status": "deleted"}, {"shop": "x" * 101},
        {"page": "0"}, {"page": "1_0"}, {"page_size": "0"}, {"page_size": "x"}, {"ordering": "rows"},
        {"template_status": "blocked"}, {"root": "inbox"},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for(client: APIClient, query: dict[str, str]) -> None:
    assert list(error_of(client.get(FILES, query), 400)["fields"]) == list(query)


def test_signed_out() -> None:
    for address in (FILES, f"{FILES}/1", f"{FILES}/1/profile"):
        assert error_of(APIClient().get(address), 401)["code"] == "NOT_AUTHENTICATED"
