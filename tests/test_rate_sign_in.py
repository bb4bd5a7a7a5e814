"""Sign-in is counted by address whoever asks, and guessing from many addresses ends as well, without a lock-out."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from ratelimits.windows.shared import SharedWindow
from tests.api import client_of, error_of, owner, stranger
from tests.rates import LOGIN, allow, limiter, remaining

__all__ = ["limiter", "owner", "stranger"]
pytestmark = pytest.mark.django_db
ADMIN_LOGIN = "/admin/login/"
TIMES = 10


@pytest.fixture
def once(limiter: SharedWindow) -> None:
    """One sign-in a minute for each address, so that the wider windows let ten through."""
    allow(1, tier="anonymous", scope="auth")


def sign_in(username: str = "li.na", *, at: str = "127.0.0.1", client: APIClient | None = None) -> Any:
    return (client or APIClient()).post(LOGIN, {"username": username, "password": "wrong"}, REMOTE_ADDR=at)


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(one.status_code for one in answers)


def test_one_name_from_many_addresses(once: None) -> None:
    answers = [sign_in(at=f"198.51.100.{number}") for number in range(TIMES + 3)]
    assert statuses(answers) == {401: TIMES, 429: 3}
    error = error_of(answers[-1], 429)
    assert (error["code"], error["params"]["limit"]) == ("RATE_LIMITED", TIMES)
    assert error["params"]["key"] == f"ip:198.51.100.{TIMES + 2}"
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert sign_in("wang.wei", at="198.51.100.99").status_code == 401


def test_what_the_window_of_a_name_refuses_costs_the_address_nothing(limiter: SharedWindow) -> None:
    for number in range(TIMES):
        assert statuses([sign_in(at=f"198.51.100.{number}") for _ in range(3)]) == {401: 3}
    assert sign_in(at="198.51.100.99").status_code == 429
    assert remaining(sign_in("wang.wei", at="198.51.100.99")) == 2


@pytest.mark.parametrize("other", ["LI.NA", " li.na ", "\N{FULLWIDTH LATIN SMALL LETTER L}i.na"])
def test_other_spellings_and_the_other_door_are_no_other_name(once: None, other: str) -> None:
    for number in range(TIMES):
        assert sign_in(at=f"198.51.100.{number}").status_code == 401
    assert sign_in(other, at="198.51.100.97").status_code == 429
    form = {"username": other, "password": "wrong"}
    assert Client().post(ADMIN_LOGIN, form, REMOTE_ADDR="198.51.100.98").status_code == 429


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"username": "name-%d", "password": "wrong"' + " " * 20_000 + "}", 401),
        ('{"username": "name-%d", "password": "wrong"', 400),
        ('["name-%d"]', 400),
        ('{"username": ["name-%d"], "password": "wrong"}', 400),
        ("[" * 10_000 + "%d", 400),
    ],
    ids=["padded", "cut", "a list", "a list as name", "deep"],
)
def test_where_no_name_can_be_read_all_count_as_one(once: None, body: str, status: int) -> None:
    """Whoever hides the name from the limiter shares one window with all who do."""
    answers = [
        APIClient().post(LOGIN, body % number, content_type="application/json", REMOTE_ADDR=f"198.51.100.{number}")
        for number in range(TIMES)
    ]
    assert statuses(answers) == {status: TIMES}
    empty = APIClient().post(LOGIN, "{}", content_type="application/json", REMOTE_ADDR="198.51.100.99")
    assert empty.status_code == 429


def test_half_a_character_is_refused_as_ever(limiter: SharedWindow) -> None:
    body = '{"username": "\\ud800", "password": "wrong"}'
    assert APIClient().post(LOGIN, body, content_type="application/json").status_code == 400


def test_one_network_of_ipv6(once: None) -> None:
    answers = [sign_in(f"name-{number}", at=f"2001:db8:1:{number}::1") for number in range(TIMES + 2)]
    assert statuses(answers) == {401: TIMES, 429: 2}
    assert sign_in("name-x", at="2001:db8:2:1::1").status_code == 401


def test_neighbours_of_ipv4_do_not_take_each_others(once: None) -> None:
    answers = [sign_in(f"name-{number}", at=f"198.51.100.{number}") for number in range(TIMES + 2)]
    assert statuses(answers) == {401: TIMES + 2}


def test_whoever_is_signed_in_is_not_kept_out(once: None, owner: User) -> None:
    for number in range(TIMES):
        sign_in(at=f"2001:db8:1:{number}::1")
    assert sign_in(at="2001:db8:1:99::1").status_code == 429
    assert sign_in(at="2001:db8:1:99::1", client=client_of(owner)).status_code == 401


def test_a_token_or_a_second_one_gives_an_address_no_more(limiter: SharedWindow, owner: User, stranger: User) -> None:
    assert statuses([sign_in("one") for _ in range(3)]) == {401: 3}
    answers = [sign_in("two", client=client_of(owner)) for _ in range(3)]
    assert statuses(answers) == {401: 2, 429: 1}
    assert answers[0]["X-RateLimit-Limit"] == "5"
    assert error_of(answers[-1], 429)["params"]["key"] == f"user:{owner.pk}"
    assert sign_in("three", client=client_of(stranger)).status_code == 429
    assert sign_in("three", client=client_of(stranger), at="198.51.100.1").status_code == 401
    assert sign_in("four").status_code == 429


def test_a_person_counts_over_addresses_too(limiter: SharedWindow, owner: User) -> None:
    answers = [sign_in(f"n{one}", at=f"198.51.100.{one}", client=client_of(owner)) for one in range(6)]
    assert statuses(answers) == {401: 5, 429: 1}


def test_what_others_share_is_told_where_it_decides_alone(once: None) -> None:
    allow(2, tier="anonymous", scope="auth")
    for number in range(TIMES):
        own = sign_in(at=f"198.51.100.{number}")
        assert own["RateLimit-Policy"] == '"auth";q=2;w=60'
        sign_in(at=f"198.51.100.{number}")
    refused = sign_in(at="198.51.100.99")
    assert refused.status_code == 429
    assert refused["X-RateLimit-Limit"] == "20"
    assert refused["RateLimit-Policy"] == '"auth";q=2;w=60, "auth-name";q=20;w=60'


def test_it_costs_one_statement(limiter: SharedWindow, settings: Any) -> None:
    def asked(username: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert sign_in(username).status_code == 401
        return len(queries)

    asked("one")
    limited = asked("two")
    settings.RATE_LIMITS_ENABLED = False
    assert limited == asked("three") + 1


def test_the_page_of_a_refusal_needs_no_database(limiter: SharedWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise OperationalError

    browser = Client()
    form = {"username": "li.na", "password": "wrong"}
    assert statuses([browser.post(ADMIN_LOGIN, form) for _ in range(3)]) == {200: 3}
    browser.cookies["sessionid"] = "a" * 32
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
    response = browser.post(ADMIN_LOGIN, form)
    assert response.status_code == 429
    assert "Too many requests" in response.content.decode()
