"""Rules hold from the next request on, calls may have their own, and one that would never hold is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DataError, InterfaceError, OperationalError, ProgrammingError
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from erp.models import ApiToken
from ratelimits.limits.scopes import scopes_of
from ratelimits.models import RateRule
from ratelimits.windows.shared import SharedWindow
from tests.api import client_of, error_of, owner
from tests.rates import LOGIN, ME, SINGLE, allow, limiter, put_into, remaining

__all__ = ["limiter", "owner"]
pytestmark = pytest.mark.django_db
GONE = (OperationalError, InterfaceError)
LIST, ADD = (reverse(f"admin:ratelimits_raterule_{page}") for page in ("changelist", "add"))


@pytest.fixture
def client(owner: User, limiter: SharedWindow) -> APIClient:
    return client_of(owner)


def test_a_changed_rule_holds_from_the_next_request_on(client: APIClient, owner: User) -> None:
    assert remaining(client.get(ME)) == 59
    rule = allow(5)
    assert remaining(client.get(ME)) == 3
    RateRule.objects.filter(pk=rule.pk).update(enabled=False)
    assert remaining(client.get(ME)) == 57
    put_into(owner, "manager")
    assert remaining(client.get(ME)) == 146
    owner.groups.clear()
    allow(4)
    assert client.get(ME).status_code == 429


def test_a_call_may_have_a_limit_of_its_own(client: APIClient) -> None:
    allow(1, scope="data_sync", endpoint="sync-single")
    allow(3, scope="data_sync")
    assert client.post(SINGLE, {}).status_code == 400
    assert error_of(client.post(SINGLE, {}), 429)["params"]["limit"] == 1
    batch = client.post("/api/data-sync/batch-by-ids", {})
    assert (batch.status_code, remaining(batch)) == (400, 1)  # what was refused took nothing of the scope
    assert remaining(client.post(f"{SINGLE}/", {})) == 0


def test_a_calls_limit_is_that_of_the_tier_which_decides(client: APIClient, owner: User) -> None:
    allow(1, tier="normal", endpoint="me")
    put_into(owner, "manager")
    assert [client.get(ME).status_code for _ in range(3)] == [200] * 3


def test_a_group_with_a_calls_limit_alone_is_limited_by_it(client: APIClient, owner: User) -> None:
    put_into(owner, "collectors")
    allow(1, tier="collectors", endpoint="me")
    allow(5, tier="normal", endpoint="me")
    assert [client.get(ME).status_code for _ in range(2)] == [200, 429]


def test_a_further_group_takes_nothing_away(client: APIClient, owner: User) -> None:
    put_into(owner, "collectors", "manager", "finance")
    allow(1, tier="collectors", endpoint="me")
    assert [client.get(ME).status_code for _ in range(3)] == [200] * 3  # neither manager nor finance limits the call
    allow(2, tier="manager", endpoint="me")
    assert [client.get(ME).status_code for _ in range(3)] == [200] * 3  # finance does not
    allow(3, tier="finance", endpoint="me")
    assert [client.get(ME).status_code for _ in range(4)] == [200] * 3 + [429]
    owner.groups.clear()
    assert client.get(ME).status_code == 200


def test_a_superusers_call_is_limited_by_the_tier_admin(client: APIClient, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    put_into(owner, "collectors")
    allow(1, tier="collectors", endpoint="me")
    assert [client.get(ME).status_code for _ in range(3)] == [200] * 3
    allow(2, tier="admin", endpoint="me")
    assert [client.get(ME).status_code for _ in range(3)] == [200, 200, 429]


def test_reading_and_changing_one_address_are_two_calls(client: APIClient) -> None:
    allow(1, scope="data_sync", endpoint="file")
    assert client.patch("/api/data-sync/files/1", {}).status_code != 429
    assert client.patch("/api/data-sync/files/1", {}).status_code == 429
    assert client.get("/api/data-sync/files/1").status_code == 404


@pytest.mark.parametrize("error", [OperationalError, InterfaceError, ProgrammingError, DataError])
@pytest.mark.parametrize("away", ["erp.models.ApiToken.find", "ratelimits.limits.services.rules_of"])
def test_a_database_that_is_away_lifts_no_limit(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, away: str, error: type[Exception]
) -> None:
    def fail(*_args: Any) -> None:
        raise error

    find = ApiToken.find
    monkeypatch.setattr(away, fail)
    answers = [client.get(ME) for _ in range(31)]
    status = answers[0].status_code
    assert status == (200 if away.endswith("rules_of") else 503 if error in GONE else 500)
    assert [one.status_code for one in answers] == [status] * 30 + [429]
    assert error_of(answers[-1], 429)["params"]["key"] == "ip:127.0.0.1"
    monkeypatch.setattr(ApiToken, "find", find)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"tier": "mangaer"}, "tier"),
        ({"tier": ""}, "tier"),
        ({"scope": "reading"}, "scope"),
        ({"endpoint": "no-such-call"}, "endpoint"),
        ({"endpoint": "index"}, "endpoint"),
        ({"endpoint": "login"}, "endpoint"),
        ({"endpoint": "sync-single"}, "endpoint"),
        ({"scope": "auth"}, "endpoint"),
        ({"scope": "data_sync"}, "endpoint"),
        ({"scope": "data_sync", "endpoint": "facts"}, "endpoint"),
        ({"scope": "data_sync", "endpoint": "tokens"}, "endpoint"),
        ({"per_minute": 0}, "per_minute"),
        ({"per_minute": 10_001}, "per_minute"),
        ({"per_minute": None}, "per_minute"),
    ],
)
def test_a_rule_that_would_never_hold_is_refused(limiter: SharedWindow, fields: dict[str, Any], wrong: str) -> None:
    rule = RateRule(**{"tier": "normal", "scope": "default", "endpoint": "me", "per_minute": 5} | fields)
    with pytest.raises(ValidationError) as refused:
        rule.full_clean()
    assert set(refused.value.message_dict) == {wrong}


@pytest.mark.parametrize(
    ("endpoint", "scopes"),
    [
        ("login", {"auth"}), ("me", {"default"}), ("logout", {"default"}), ("sync-single", {"data_sync"}),
        ("facts", {"default"}), ("file", {"default", "data_sync"}), ("rate-rule", {"default"}), ("docs", {"default"}),
    ],
)  # fmt: skip
def test_where_calls_count(limiter: SharedWindow, endpoint: str, scopes: set[str]) -> None:
    assert scopes_of(endpoint) == scopes
    for scope in scopes:
        RateRule(tier="normal", scope=scope, endpoint=endpoint, per_minute=5).full_clean()


def test_the_admin_edits_rules_in_the_list(client: APIClient, admin_client: Client) -> None:
    rules = list(RateRule.objects.all())
    page = admin_client.get(LIST).content.decode()
    assert page.count('name="form-') >= 2 * len(rules)
    data = {"form-TOTAL_FORMS": len(rules), "form-INITIAL_FORMS": len(rules), "_save": "Save"}
    for number, rule in enumerate(rules):
        changed = 7 if (rule.tier, rule.scope) == ("normal", "default") else rule.per_minute
        data |= {f"form-{number}-id": rule.pk, f"form-{number}-per_minute": changed, f"form-{number}-enabled": "on"}
    assert admin_client.post(LIST, data).status_code == 302
    assert client.get(ME)["X-RateLimit-Limit"] == "7"


def test_the_admin_adds_a_rule_for_a_call(client: APIClient, admin_client: Client) -> None:
    form = admin_client.get(ADD).content.decode()
    assert '<option value="anonymous">' in form
    assert '<option value="sync-single">' in form
    fields = {"tier": "normal", "scope": "default", "endpoint": "me", "per_minute": 1, "enabled": "on", "note": "loud"}
    assert admin_client.post(ADD, fields).status_code == 302
    assert [client.get(ME).status_code for _ in range(2)] == [200, 429]
    assert "already exists" in admin_client.post(ADD, fields).content.decode()
    assert admin_client.post(ADD, fields | {"tier": "mangaer"}).status_code == 200


def test_an_empty_list_says_what_holds(limiter: SharedWindow, admin_client: Client) -> None:
    RateRule.objects.all().delete()
    assert "built-in limits" in admin_client.get(LIST).content.decode()


def test_sign_in_is_limited_by_whoever_signs_in(client: APIClient) -> None:
    body = {"username": "owner", "password": "correct horse"}
    assert client.post(LOGIN, body)["X-RateLimit-Limit"] == "5"
    assert APIClient().post(LOGIN, body)["X-RateLimit-Limit"] == "3"
