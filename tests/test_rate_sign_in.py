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
from tests.rates import LOGIN, allow, limiter

__all__ = ["limiter", "owner", "stranger"]
pytestmark = pytest.mark.django_db
ADMIN_LOGIN = "/admin/login/"
TIMES = 10


@pytest.fixture
def once(limiter: SharedWindow) -> None:
    """One sign-in a minute for each address, so that ten in a /56 and a hundred in a /48 get through."""
    allow(1, tier="anonymous", scope="auth")


def sign_in(username: str = "li.na", *, at: str = "127.0.0.1", client: APIClient | None = None) -> Any:
    return (client or APIClient()).post(LOGIN, {"username": username, "password": "wrong"}, REMOTE_ADDR=at)


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(one.status_code for one in answers)


def test_a_name_is_no_way_to_keep_its_owner_out(once: None) -> None:
    answers = [sign_in(at=f"198.51.100.{number}") for number in range(5 * TIMES)]
    assert statuses(answers) == {401: 5 * TIMES}


def test_the_smaller_network_of_ipv6(once: None) -> None:
    answers = [sign_in(f"name-{number}", at=f"2001:db8:1:{number:x}::1") for number in range(TIMES + 2)]
    assert statuses(answers) == {401: TIMES, 429: 2}
    error = error_of(answers[-1], 429)
    assert (error["code"], error["params"]["limit"]) == ("RATE_LIMITED", TIMES)
    assert error["params"]["key"] == f"ip:2001:db8:1:{TIMES + 1:x}::/64"
    assert sign_in("name-x", at="2001:db8:1:100::1").status_code == 401  # the neighbour in the /48


def test_the_larger_network_of_ipv6(once: None) -> None:
    customers = [f"2001:db8:1:{customer:x}{home:02x}::1" for customer in range(1, 11) for home in range(TIMES)]
    assert statuses([sign_in(f"name-{at}", at=at) for at in customers]) == {401: 10 * TIMES}
    assert sign_in("name-x", at="2001:db8:1:ff00::1").status_code == 429
    assert sign_in("name-x", at="2001:db8:2:ff00::1").status_code == 401


def test_a_form_that_cannot_be_read_is_counted(limiter: SharedWindow) -> None:
    """The charset is one that Python knows, of no text."""
    kind = "multipart/form-data; boundary=x; charset=hex"
    form = b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\nli.na\r\n--x--\r\n'
    browser = Client(enforce_csrf_checks=True)
    answers = [browser.generic("POST", ADMIN_LOGIN, form, kind) for _ in range(4)]
    assert statuses(answers) == {403: 3, 429: 1}


def test_half_a_character_is_refused_as_ever(limiter: SharedWindow) -> None:
    body = '{"username": "\\ud800", "password": "wrong"}'
    assert APIClient().post(LOGIN, body, content_type="application/json").status_code == 400


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
    for number in range(TIMES):
        own = sign_in(at=f"2001:db8:1:{number}::1")
        assert own["RateLimit-Policy"] == '"auth";q=1;w=60'
    refused = sign_in(at="2001:db8:1:99::1")
    assert refused.status_code == 429
    assert refused["X-RateLimit-Limit"] == str(TIMES)
    assert refused["RateLimit-Policy"] == f'"auth";q=1;w=60, "auth-network-56";q={TIMES};w=60'


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
