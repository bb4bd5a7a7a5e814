"""What was refused, over HTTP: figures of a day, the log, and who stands out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from ratelimits.events.clock import today
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from tests.api import client_of, data_of, error_of, owner
from tests.rate_events import HOSTILE, counted, event, give, minute

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
STATS, EVENTS, ANOMALIES = (f"/api/rate-limit/{name}" for name in ("stats", "events", "anomalies"))


@pytest.fixture
def client(owner: User) -> APIClient:
    """Staff who may see what was refused and clear the figures."""
    give(owner, "view_ratelimitday", "delete_ratelimitday", "view_ratelimitevent")
    return client_of(owner)


def test_the_figures_of_today_and_of_another_day(client: APIClient, owner: User) -> None:
    yesterday = today() - timedelta(days=1)
    counted(today(), 4, key=f"user:{owner.pk}")
    counted(yesterday, 2)
    days = [{"date": str(yesterday), "refused": 2}, {"date": str(today()), "refused": 4}]
    assert data_of(client.get(STATS)) == {
        "date": str(today()), "refused": 4, "callers": 1, "paths": 1, "days": days,
        "by_key": [{"key": f"user:{owner.pk}", "user_id": owner.pk, "username": "owner", "refused": 4}],
        "by_path": [{"path": "/api/data-sync/files", "refused": 4}],
    }  # fmt: skip
    asked = data_of(client.get(STATS, {"date": str(yesterday)}))
    assert (asked["date"], asked["refused"]) == (str(yesterday), 2)
    assert data_of(client.get(STATS, {"date": "2001-01-01"}))["refused"] == 0


def test_the_figures_of_a_day_are_cleared(client: APIClient) -> None:
    yesterday = today() - timedelta(days=1)
    for day in (today(), yesterday, yesterday - timedelta(days=1)):
        counted(day, 1)
        counted(day, 1, path="/api/x")
    event()
    assert data_of(client.delete(f"{STATS}?date={yesterday}")) == {"date": str(yesterday), "cleared": 2}
    assert data_of(client.delete(STATS)) == {"date": str(today()), "cleared": 2}
    assert data_of(client.delete(STATS))["cleared"] == 0
    assert RateLimitDay.objects.count() == 2
    assert RateLimitEvent.objects.count() == 1


@pytest.mark.parametrize(
    "date",
    [
        "",
        "today",
        "2026-3-6",
        "20260306",
        "2026-W10-5",
        "2026-02-30",
        "06.03.2026",
        "2026-03-06T00:00",
        "9" * 400,
        "\0",
    ],
)
def test_a_day_is_written_in_one_way(client: APIClient, date: str) -> None:
    for response in (client.get(STATS, {"date": date}), client.delete(STATS, query_params={"date": date})):
        assert list(error_of(response, 400)["fields"]) == ["date"]


def test_the_log_comes_newest_first(client: APIClient, owner: User) -> None:
    told: dict[str, Any] = {
        "method": "POST",
        "scope": "data_sync",
        "detail": "30/m",
        "agent": "a/1",
        "address": "203.0.113.9",
    }
    new = event(f"user:{owner.pk}", times=3, user=owner, **told)
    old = event(ago=timedelta(hours=1))
    first, second = data_of(client.get(EVENTS))
    assert first.pop("last_at")
    assert first == told | {
        "id": new.pk, "at": minute(new.at).isoformat().replace("+00:00", "Z"), "times": 3, "key": f"user:{owner.pk}",
        "user_id": owner.pk, "username": "owner", "path": "/api/data-sync/files", "tier": "anonymous",
    }  # fmt: skip
    assert (second["id"], second["user_id"], second["username"]) == (old.pk, None, None)


def test_the_log_of_some(client: APIClient) -> None:
    one, other = event("user:1"), event("user:2", scope="auth")
    assert [row["id"] for row in data_of(client.get(EVENTS, {"key": "user:1"}))] == [one.pk]
    assert [row["id"] for row in data_of(client.get(EVENTS, {"scope": "auth"}))] == [other.pk]
    assert len(data_of(client.get(EVENTS, {"limit": 1}))) == 1
    assert len(data_of(client.get(EVENTS, {"limit": 1000}))) == 2


def test_hostile_texts_are_told_as_they_were_kept(client: APIClient) -> None:
    event(agent="<script>alert(1)</script>", path="/api/\ufffd")
    response = client.get(EVENTS)
    (row,) = data_of(response)
    assert (row["agent"], row["path"]) == ("<script>alert(1)</script>", "/api/\ufffd")
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"), ({"limit": 1001}, "limit"), ({"limit": -1}, "limit"), ({"limit": "1e2"}, "limit"),
        ({"limit": 2**63}, "limit"), ({"limit": ""}, "limit"), ({"limit": [1, 2]}, "limit"),
        ({"scope": "all"}, "scope"),
        ({"key": HOSTILE}, "key"), ({"key": "x" * 101}, "key"), ({"key__startswith": "u"}, "key__startswith"),
    ],
)  # fmt: skip
def test_the_query_of_the_log_is_checked(client: APIClient, query: dict[str, Any], field: str) -> None:
    assert list(error_of(client.get(EVENTS, query), 400)["fields"]) == [field]


def test_who_stands_out(client: APIClient, owner: User) -> None:
    event(f"user:{owner.pk}", times=250, user=owner)
    event("ip:203.0.113.9", times=101)
    event("ip:203.0.113.10", times=100)
    listed = client.get(ANOMALIES)
    first, second = data_of(listed)
    assert listed.json()["pagination"]["total"] == 2
    began, ended = (datetime.fromisoformat(first.pop(name)) for name in ("first_at", "last_at"))
    assert began <= ended
    assert first == {
        "key": f"user:{owner.pk}", "user_id": owner.pk, "username": "owner", "refused": 250, "level": "critical",
        "paths": 1,
    }  # fmt: skip
    assert (second["key"], second["username"], second["level"]) == ("ip:203.0.113.9", None, "warning")
    assert len(data_of(client.get(ANOMALIES, {"threshold": 10}))) == 3
    assert data_of(client.get(ANOMALIES, {"threshold": 250})) == []
    assert [row["refused"] for row in data_of(client.get(ANOMALIES, {"page_size": 1, "page": 2}))] == [101]


@pytest.mark.parametrize("threshold", [9, 0, -1, 1_000_001, 2**63, "10.5", "many", ""])
def test_the_threshold_is_checked(client: APIClient, threshold: int | str) -> None:
    assert list(error_of(client.get(ANOMALIES, {"threshold": threshold}), 400)["fields"]) == ["threshold"]


def test_looking_costs_the_same_however_much_there_is(client: APIClient, owner: User) -> None:
    def costs() -> list[int]:
        found = []
        for address in (STATS, EVENTS, f"{ANOMALIES}?threshold=10"):
            with CaptureQueriesContext(connection) as captured:
                client.get(address)
            found.append(len(captured))
        return found

    def fill(number: int) -> None:
        person = User.objects.create_user(f"user{number}")
        event(f"user:{person.pk}", times=20, user=person)
        counted(today(), 1, key=f"user:{person.pk}")

    fill(0)
    costs()  # the first use of a token is written down
    few = costs()
    for number in range(1, 30):
        fill(number)
    assert costs() == few


@pytest.mark.parametrize(
    ("method", "address", "right"),
    [
        ("get", STATS, "view_ratelimitday"), ("delete", STATS, "delete_ratelimitday"),
        ("get", EVENTS, "view_ratelimitevent"), ("get", ANOMALIES, "view_ratelimitevent"),
    ],
)  # fmt: skip
def test_only_staff_with_the_right_look(owner: User, method: str, address: str, right: str) -> None:
    def ask() -> Any:
        return getattr(client_of(User.objects.get(pk=owner.pk)), method)(address)

    assert error_of(ask(), 403)["code"] == "PERMISSION_DENIED"
    give(owner)
    assert error_of(ask(), 403)["code"] == "PERMISSION_DENIED"
    give(owner, right)
    assert ask().status_code == 200
    User.objects.filter(pk=owner.pk).update(is_staff=False)
    assert error_of(ask(), 403)["code"] == "PERMISSION_DENIED"
