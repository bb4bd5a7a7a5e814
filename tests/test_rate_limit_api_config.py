"""The rules over HTTP: seen and changed by staff with the right, held at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from ratelimits.models import RateRule
from tests.api import client_of, data_of, error_of, owner, staff, stranger
from tests.rate_events import HOSTILE, give
from tests.rates import ME, allow, limiter

__all__ = ["limiter", "owner", "staff", "stranger"]
pytestmark = pytest.mark.django_db
CONFIG = "/api/rate-limit/config"
RIGHTS = ("view_raterule", "add_raterule", "change_raterule", "delete_raterule")
BODY = {"tier": "operator", "scope": "data_sync", "endpoint": "sync-single", "per_minute": 20}
UNKNOWN = (404_404, 2**63, 10**30)


@pytest.fixture
def client(staff: User) -> APIClient:
    """Staff with every right to the rules."""
    give(staff, *RIGHTS)
    return client_of(staff)


@pytest.fixture
def rule(db: None) -> RateRule:
    return allow(50, tier="operator", scope="data_sync")


def address(rule: RateRule) -> str:
    return f"{CONFIG}/{rule.pk}"


def test_the_rules_are_listed(client: APIClient, rule: RateRule) -> None:
    allow(30, tier="anonymous", scope="default")
    listed = client.get(CONFIG, {"tier": "operator", "scope": "data_sync"})
    assert data_of(listed) == [
        {"id": rule.pk, "tier": "operator", "scope": "data_sync", "endpoint": "", "per_minute": 50, "enabled": True,
         "note": ""}
    ]  # fmt: skip
    assert len(data_of(client.get(CONFIG))) == RateRule.objects.count() > 1
    assert len(data_of(client.get(CONFIG, {"page_size": 1, "page": 2}))) == 1
    assert data_of(client.get(address(rule)))["per_minute"] == 50


def test_a_rule_is_made_changed_and_deleted(client: APIClient, staff: User) -> None:
    made = data_of(client.post(CONFIG, BODY), 201)
    assert made == BODY | {"id": made["id"], "enabled": True, "note": ""}
    one = f"{CONFIG}/{made['id']}"
    changed = data_of(client.patch(one, {"per_minute": 25, "enabled": False, "note": "Month end"}))
    assert changed == made | {"per_minute": 25, "enabled": False, "note": "Month end"}
    assert data_of(client.delete(one)) is None
    assert not RateRule.objects.filter(pk=made["id"]).exists()


def test_changes_are_in_the_history_that_the_console_shows(client: APIClient, staff: User) -> None:
    one = f"{CONFIG}/{data_of(client.post(CONFIG, BODY), 201)['id']}"
    client.patch(one, {"per_minute": 25, "note": "Month end"})
    client.delete(one)
    entries = LogEntry.objects.filter(user=staff).order_by("pk")
    assert list(entries.values_list("action_flag", flat=True)) == [1, 2, 3]
    assert "per_minute" in entries[1].change_message
    assert entries[2].object_repr == "operator, data_sync sync-single: 25/m"


def test_a_change_holds_from_the_next_request_on(client: APIClient, limiter: Any, stranger: User) -> None:
    theirs = client_of(stranger)
    assert theirs.get(ME)["X-RateLimit-Limit"] == "60"
    rule = RateRule.objects.get(tier="normal", scope="default", endpoint="")
    client.patch(address(rule), {"per_minute": 7})
    assert theirs.get(ME)["X-RateLimit-Limit"] == "7"
    client.delete(address(rule))
    assert theirs.get(ME)["X-RateLimit-Limit"] == "60"


def test_one_rule_for_a_tier_scope_and_call(client: APIClient, rule: RateRule) -> None:
    same = {"tier": "operator", "scope": "data_sync", "per_minute": 1}
    error = error_of(client.post(CONFIG, same), 409)
    assert (error["code"], error["type"], error["params"]) == ("RATE_RULE_EXISTS", "conflict", {"rule_id": rule.pk})
    other = allow(5, tier="operator", scope="auth")
    assert error_of(client.patch(address(other), {"scope": "data_sync"}), 409)["params"] == {"rule_id": rule.pk}
    other.refresh_from_db()
    assert (other.scope, LogEntry.objects.count()) == ("auth", 0)


def test_a_group_of_ones_own_is_a_tier(client: APIClient) -> None:
    assert error_of(client.post(CONFIG, BODY | {"tier": "robots"}), 400)["fields"].keys() == {"tier"}
    group = Group.objects.create(name="robots")
    made = data_of(client.post(CONFIG, BODY | {"tier": "robots"}), 201)
    group.delete()
    assert data_of(client.patch(f"{CONFIG}/{made['id']}", {"enabled": False}))["enabled"] is False


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"tier": ""}, "tier"), ({"tier": 5}, "tier"), ({"tier": "x" * 21}, "tier"), ({"tier": HOSTILE}, "tier"),
    ({"tier": None}, "tier"), ({"tier": "nobodys"}, "tier"), ({"scope": "all"}, "scope"),
    ({"scope": ["auth"]}, "scope"),
    ({"scope": None}, "scope"), ({"endpoint": "no-such-call"}, "endpoint"), ({"endpoint": "admin:index"}, "endpoint"),
    ({"endpoint": "<script>"}, "endpoint"), ({"endpoint": "\0"}, "endpoint"), ({"endpoint": None}, "endpoint"),
    ({"per_minute": 0}, "per_minute"), ({"per_minute": -1}, "per_minute"), ({"per_minute": 10_001}, "per_minute"),
    ({"per_minute": "5"}, "per_minute"), ({"per_minute": 5.0}, "per_minute"), ({"per_minute": True}, "per_minute"),
    ({"per_minute": 2**63}, "per_minute"), ({"per_minute": {"a": 1}}, "per_minute"), ({"enabled": "yes"}, "enabled"),
    ({"enabled": 1}, "enabled"), ({"note": "x" * 201}, "note"), ({"id": 1}, "id"),
    ({"changed_by": 1}, "changed_by"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "field"), WRONG)
def test_rules_are_checked(client: APIClient, rule: RateRule, wrong: dict[str, Any], field: str) -> None:
    before = list(RateRule.objects.values())
    for response in (client.post(CONFIG, BODY | wrong), client.patch(address(rule), wrong)):
        error = error_of(response, 400)
        assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", [field])
    assert list(RateRule.objects.values()) == before


def test_half_a_character_is_none(client: APIClient, rule: RateRule) -> None:
    body = '{"note": "\\ud800"}'
    response = client.patch(address(rule), body, content_type="application/json")
    assert list(error_of(response, 400)["fields"]) == ["note"]


def test_a_call_is_not_moved_to_a_scope_where_it_never_counts(client: APIClient) -> None:
    one = f"{CONFIG}/{data_of(client.post(CONFIG, BODY), 201)['id']}"
    assert list(error_of(client.patch(one, {"scope": "auth"}), 400)["fields"]) == ["scope"]
    assert list(error_of(client.patch(one, {"endpoint": "me"}), 400)["fields"]) == ["endpoint"]
    assert data_of(client.patch(one, {"scope": "default", "endpoint": "me"}))["endpoint"] == "me"


@pytest.mark.parametrize("missing", ["tier", "scope", "per_minute"])
def test_what_a_new_rule_needs(client: APIClient, missing: str) -> None:
    body = {name: value for name, value in BODY.items() if name != missing}
    assert list(error_of(client.post(CONFIG, body), 400)["fields"]) == [missing]


def test_a_change_of_nothing_is_refused(client: APIClient, rule: RateRule) -> None:
    assert error_of(client.patch(address(rule), {}), 400)["fields"] == {"": "Name at least one field."}


@pytest.mark.parametrize("query", [{"scope": "all"}, {"tier": "x" * 21}, {"page": 0}, {"per_minute__gt": 5}])
def test_the_query_of_the_list_is_checked(client: APIClient, query: dict[str, Any]) -> None:
    assert list(error_of(client.get(CONFIG, query), 400)["fields"]) == list(query)


@pytest.mark.parametrize("rule_id", UNKNOWN)
def test_rules_that_are_not_there(client: APIClient, rule_id: int) -> None:
    one = f"{CONFIG}/{rule_id}"
    for response in (client.get(one), client.patch(one, {"enabled": False}), client.delete(one)):
        assert error_of(response, 404)["code"] == "RATE_RULE_NOT_FOUND"


def test_listing_costs_the_same_however_many_rules_there_are(client: APIClient, rule: RateRule) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(CONFIG)
        return len(captured)

    cost()  # the first use of a token is written down
    few = cost()
    for number in range(20):
        allow(5, tier=f"group{number}")
    assert cost() == few


def test_each_right_opens_one_door(owner: User, rule: RateRule) -> None:
    def ask() -> dict[str, int]:
        client = client_of(User.objects.get(pk=owner.pk))
        one = address(RateRule.objects.get(tier="operator", scope="data_sync", endpoint=""))
        return {
            "view": client.get(CONFIG).status_code,
            "view one": client.get(one).status_code,
            "add": client.post(CONFIG, BODY).status_code,
            "change": client.patch(one, {"note": "x"}).status_code,
            "delete": client.delete(one).status_code,
        }

    shut = dict.fromkeys(("view", "view one", "add", "change", "delete"), 403)
    assert ask() == shut
    give(owner)
    assert ask() == shut
    for right, opened in (
        ("view_raterule", {"view": 200, "view one": 200}), ("add_raterule", {"add": 201}),
        ("change_raterule", {"view": 200, "view one": 200, "change": 200}), ("delete_raterule", {"delete": 200}),
    ):  # fmt: skip
        owner.user_permissions.clear()
        give(owner, right)
        assert ask() == shut | opened
