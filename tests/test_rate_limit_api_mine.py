"""What is left to whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.api import client_of, data_of, error_of, owner
from tests.rates import LOGIN, ME, allow, limiter, put_into, remaining

__all__ = ["limiter", "owner"]
pytestmark = pytest.mark.django_db
MINE = "/api/rate-limit/my-info"


def left(answer: dict[str, Any]) -> dict[str, tuple[str, int, int]]:
    """Tier, limit and what is left, by scope."""
    return {one["scope"]: (one["tier"], one["limit"], one["remaining"]) for one in answer["limits"]}


def test_looking_counts_once_where_it_is_counted_anyway(limiter: Any, owner: User) -> None:
    client = client_of(owner)
    client.get(ME)
    for asked in (2, 3):
        response = client.get(MINE)
        mine = data_of(response)
        assert (mine["key"], mine["tier"]) == (f"user:{owner.pk}", "normal")
        assert left(mine) == {
            "default": ("normal", 60, 60 - asked), "data_sync": ("normal", 30, 30), "auth": ("normal", 5, 5),
        }  # fmt: skip
        assert remaining(response) == 60 - asked


def test_the_best_tier_counts_in_each_scope(limiter: Any, owner: User) -> None:
    put_into(owner, "manager", "finance")
    allow(300, tier="finance", scope="data_sync")
    mine = data_of(client_of(owner).get(MINE))
    assert mine["tier"] == "manager"
    assert left(mine)["data_sync"] == ("finance", 300, 300)


def test_when_the_next_place_gets_free(limiter: Any, owner: User) -> None:
    (default, *_others) = data_of(client_of(owner).get(MINE))["limits"]
    reset_at = datetime.fromisoformat(default["reset_at"])
    assert 0 < (reset_at - datetime.now(UTC)).total_seconds() <= default["window_seconds"] == 60


def test_what_others_at_ones_address_took_of_sign_in_is_told(limiter: Any, owner: User) -> None:
    for _ in range(2):
        APIClient().post(LOGIN, {"username": "owner", "password": "wrong"})
    client = client_of(owner)
    assert left(data_of(client.get(MINE)))["auth"] == ("normal", 5, 3)
    assert left(data_of(client.get(MINE, REMOTE_ADDR="198.51.100.1")))["auth"] == ("normal", 5, 5)


def test_nobody_is_told_who_has_not_signed_in(limiter: Any) -> None:
    response = APIClient().get(MINE)
    assert error_of(response, 401)["code"] == "NOT_AUTHENTICATED"
    assert response["X-RateLimit-Limit"] == "30"
