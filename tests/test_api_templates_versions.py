"""Templates over HTTP: everybody looks, staff draft and change; what is published never changes."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasync.mapping import services
from datasync.models import AuditEntry, HeaderTemplate, Platform
from tests.api import client_of, data_of, error_of, owner, staff
from tests.templates_support import BODY, draft

__all__ = ["owner", "staff"]
TEMPLATES = "/api/data-sync/templates"
NOT_THERE = f"{TEMPLATES}/424242"


@pytest.fixture
def client(staff: User) -> APIClient:
    Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    return client_of(staff)


def test_a_draft_is_made_and_shown(client: APIClient, staff: User) -> None:
    given = data_of(client.post(TEMPLATES, BODY | {"notes": "<b>"}, format="json"), 201)
    assert (given["version"], given["state"], given["variant"], given["created_by"]) == (1, "draft", "default", "staff")
    assert [(one["header"], one["field"], one["kind"]) for one in given["columns"]] == [
        ("Order ID", "order_id", "identifier"), ("SKU", "sku", "identifier"), ("Quantity", "quantity", "integer"),
    ]  # fmt: skip
    assert data_of(client.get(f"{TEMPLATES}/{given['id']}")) == given
    assert data_of(client.post(TEMPLATES, BODY, format="json"), 201)["version"] == 2


def test_a_detail_can_be_put_back(client: APIClient) -> None:
    given = data_of(client.get(f"{TEMPLATES}/{draft(header_row=3).pk}"))
    body = {name: given[name] for name in (*BODY, "header_row", "data_row", "sheet", "ordinal", "variant", "notes")}
    assert data_of(client.put(f"{TEMPLATES}/{given['id']}", body, format="json")) == given


def test_put_replaces_and_patch_keeps(client: APIClient) -> None:
    address = f"{TEMPLATES}/{draft(header_row=3).pk}"
    changed = data_of(client.patch(address, {"ordinal": True, "notes": "n"}, format="json"))
    assert (changed["header_row"], changed["ordinal"], changed["notes"]) == (3, True, "n")
    replaced = data_of(client.put(address, BODY, format="json"))
    assert (replaced["header_row"], replaced["ordinal"], replaced["notes"]) == (0, False, "")


def test_a_draft_is_thrown_away(client: APIClient) -> None:
    address = f"{TEMPLATES}/{draft().pk}"
    assert data_of(client.delete(address)) is None
    assert error_of(client.get(address), 404)["code"] == "TEMPLATE_NOT_FOUND"


def test_what_becomes_of_a_draft_is_written_down(client: APIClient) -> None:
    pk = data_of(client.post(TEMPLATES, BODY, format="json"), 201)["id"]
    client.put(f"{TEMPLATES}/{pk}", BODY | {"header_row": 2}, format="json")
    client.patch(f"{TEMPLATES}/{pk}", {"ordinal": True}, format="json")
    client.delete(f"{TEMPLATES}/{pk}")
    entries = list(AuditEntry.objects.order_by("pk"))
    assert [(one.action, one.actor_name) for one in entries] == [
        (action, "staff") for action in ("template_drafted", "template_changed", "template_changed", "template_deleted")
    ]
    assert [one.detail["after"]["header_row"] for one in entries[1:3]] == [2, 2]
    assert entries[3].detail["template_id"] == pk


def test_a_new_version_is_a_copy(client: APIClient) -> None:
    row = services.publish(draft(header_row=2))
    given = data_of(client.post(f"{TEMPLATES}/{row.pk}/new-version"), 201)
    assert (given["version"], given["state"], given["header_row"]) == (2, "draft", 2)
    versions = data_of(client.get(f"{TEMPLATES}/{row.pk}/versions"))
    assert [(one["version"], one["state"]) for one in versions] == [(2, "draft"), (1, "published")]


@pytest.mark.parametrize("archived", [False, True])
def test_what_was_published_is_a_conflict_that_says_what_to_do(client: APIClient, archived: bool) -> None:
    row = services.publish(draft())
    if archived:
        services.archive(row)
    address = f"{TEMPLATES}/{row.pk}"
    for response in (
        client.put(address, BODY, format="json"),
        client.patch(address, {"notes": "x"}, format="json"),
        client.delete(address),
        client.post(f"{address}/publish"),
    ):
        error = error_of(response, 409)
        assert error["code"] == "TEMPLATE_NOT_DRAFT"
        assert "new version" in error["recovery_suggestion"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2),
        ({"state": "draft"}, 1),
        ({"variant": "other"}, 1),
        ({"search": "quant"}, 2),
        ({"search": "OTHE"}, 1),
        ({"platform": "shopee", "domain": "orders", "granularity": "daily", "source_platform": "shopee"}, 2),
        ({"sub_domain": "agent"}, 0),
        ({"page": 2, "page_size": 1}, 1),
    ],
)
def test_the_list_filters(client: APIClient, query: dict[str, Any], count: int) -> None:
    services.publish(draft())
    draft(variant="other")
    assert len(data_of(client.get(TEMPLATES, query))) == count


@pytest.mark.parametrize("query", [{"state": "x"}, {"domain": "x"}, {"columns__header": "x"}, {"page_size": 0}])
def test_wrong_filters_are_refused(client: APIClient, query: dict[str, Any]) -> None:
    assert error_of(client.get(TEMPLATES, query), 400)["code"] == "VALIDATION_ERROR"
    if "page_size" in query:
        assert error_of(client.get(f"{TEMPLATES}/{draft().pk}/versions", query), 400)["code"] == "VALIDATION_ERROR"


def test_the_list_costs_the_same_however_long(client: APIClient) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            data_of(client.get(TEMPLATES))
        return len(captured)

    draft()
    queries()
    before = queries()
    for number in range(10):
        draft(variant=f"v{number}")
    assert queries() == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"domain": "nonsense"}, "domain"),
        ({"header_row": -1}, "header_row"),
        ({"header_row": "1"}, "header_row"),
        ({"identity": "order_id"}, "identity"),
        ({"columns": []}, "columns"),
        ({"columns": [{"header": "a\0"}]}, "columns.0.header"),
        ({"columns": [{"header": "a", "position": 1}]}, "columns"),
        ({"columns": [{"header": "a", "id": 1}]}, "columns.0.id"),
        ({"state": "published"}, "state"),
        ({"version": 7}, "version"),
        ({"platform": "nowhere"}, ""),
    ],
)
def test_a_wrong_body_names_the_field(client: APIClient, change: dict[str, Any], field: str) -> None:
    address = f"{TEMPLATES}/{draft().pk}"
    for response in (
        client.post(TEMPLATES, BODY | change, format="json"),
        client.put(address, BODY | change, format="json"),
        client.patch(address, change, format="json"),
    ):
        error = error_of(response, 400)
        assert error["code"] == "VALIDATION_ERROR"
        assert list(error.get("fields", [""])) == [field]
    assert HeaderTemplate.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"columns": [{"header": "a", "field": "nonsense"}]}, "TEMPLATE_INVALID"),
        ({"identity": ["order_id", "line_id"]}, "KEY_COLUMN_MISSING"),
    ],
)
def test_what_cannot_be_a_template_says_why(client: APIClient, change: dict[str, Any], code: str) -> None:
    address = f"{TEMPLATES}/{draft().pk}"
    for response in (
        client.post(TEMPLATES, BODY | change, format="json"),
        client.put(address, BODY | change, format="json"),
        client.patch(address, change, format="json"),
    ):
        assert error_of(response, 422)["code"] == code


def test_unknown_ids(client: APIClient) -> None:
    for response in (
        client.get(NOT_THERE),
        client.put(NOT_THERE, BODY, format="json"),
        client.patch(NOT_THERE, {}, format="json"),
        client.delete(NOT_THERE),
        client.get(f"{NOT_THERE}/versions"),
        client.post(f"{NOT_THERE}/new-version"),
        client.post(f"{NOT_THERE}/publish"),
        client.post(f"{NOT_THERE}/archive"),
        client.get(f"{NOT_THERE}/export"),
    ):
        assert error_of(response, 404)["code"] == "TEMPLATE_NOT_FOUND"


def test_only_staff_change_anything(owner: User, client: APIClient) -> None:
    own, address = client_of(owner), f"{TEMPLATES}/{draft().pk}"
    for response in (
        own.post(TEMPLATES, BODY, format="json"),
        own.put(address, BODY, format="json"),
        own.patch(address, {}, format="json"),
        own.delete(address),
        own.post(f"{address}/new-version"),
        own.post(f"{address}/publish"),
        own.post(f"{address}/archive"),
        own.post(f"{TEMPLATES}/import"),
    ):
        assert error_of(response, 403)["code"] == "PERMISSION_DENIED"
    assert HeaderTemplate.objects.get().state == "draft"
    data_of(own.get(TEMPLATES))
    data_of(own.get(address))


def test_a_copy_of_what_is_no_longer_valid_says_why(client: APIClient) -> None:
    row = draft()
    row.columns.filter(field="sku").update(field="nonsense")
    assert error_of(client.post(f"{TEMPLATES}/{row.pk}/new-version"), 422)["code"] == "TEMPLATE_INVALID"
    row.columns.filter(position=1).delete()
    assert error_of(client.post(f"{TEMPLATES}/{row.pk}/publish"), 422)["code"] in {
        "TEMPLATE_INVALID", "KEY_COLUMN_MISSING",
    }  # fmt: skip
