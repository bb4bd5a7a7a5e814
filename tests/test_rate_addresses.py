"""A client's address is what a trusted proxy says of it, and nobody else; nonsense changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from erp import environment
from erp.addresses import client_address, network_of
from ratelimits.limits.callers import caller_of
from ratelimits.windows.shared import SharedWindow
from tests.api import error_of
from tests.rates import LOGIN, allow, limiter, remaining

__all__ = ["limiter"]
PROXIES = "10.0.0.0/8,2001:db8:ffff::/48"


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """An installation behind proxies in two networks."""
    monkeypatch.setenv("TRUSTED_PROXIES", PROXIES)
    settings.TRUSTED_PROXIES = environment.networks("TRUSTED_PROXIES")


def address(peer: str, forwarded: str | None = None) -> str:
    request = RequestFactory().get("/", REMOTE_ADDR=peer)
    if forwarded is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    return client_address(request)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # whoever connects may claim anything
        ("10.0.0.5", None, "10.0.0.5"),
        ("10.0.0.5", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # what the client itself sent before
        ("10.0.0.5", "1.1.1.1, 198.51.100.1, 10.0.0.6", "198.51.100.1"),
        ("10.0.0.5", "10.1.1.1, 10.0.0.6", "10.1.1.1"),
        ("10.0.0.7", "6.6.6.6", "6.6.6.6"),  # a client within a trusted network is believed: name proxies only
        ("10.0.0.5", "garbage", "10.0.0.5"),
        ("10.0.0.5", "garbage, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", "198.51.100.1, <script>", "10.0.0.5"),
        ("10.0.0.5", "198.51.100.1, 10.0.0.6:8080", "10.0.0.5"),
        ("10.0.0.5", " , ,198.51.100.1 ,, ", "198.51.100.1"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "999.1.1.1", "10.0.0.5"),
        ("10.0.0.5", "2130706433", "10.0.0.5"),
        ("10.0.0.5", "1" * 100_000, "10.0.0.5"),
        ("10.0.0.5", "," * 100_000, "10.0.0.5"),
        ("10.0.0.5", "2001:db8::1", "2001:db8::1"),
        ("2001:db8:ffff::1", "2001:db8::1%eth0", "2001:db8::1"),
        ("::ffff:10.0.0.5", "::ffff:198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", ""),
        ("no address", "198.51.100.1", ""),
    ],
)
def test_the_client(trusting: None, peer: str, forwarded: str | None, client: str) -> None:
    assert address(peer, forwarded) == client


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert address("10.0.0.5", "198.51.100.1") == "10.0.0.5"
    assert address("127.0.0.1", "198.51.100.1") == "127.0.0.1"


@pytest.mark.parametrize(
    ("one", "network", "key"),
    [
        ("198.51.100.1", "198.51.100.1", "ip:198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "ip:2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::", "ip:2001:db8:1:2::/64"),
        ("::ffff:198.51.100.1", "198.51.100.1", "ip:198.51.100.1"),
        ("", "", "ip:unknown"),
    ],
)
def test_by_what_an_address_is_counted(one: str, network: str, key: str) -> None:
    assert network_of(one) == network
    request = RequestFactory().get("/", REMOTE_ADDR=one)
    request.user = AnonymousUser()
    assert caller_of(request).key == key


@pytest.mark.parametrize("value", ["10.0.0.0/33", "proxy.example", "10.0.0.1/8", "10.0.0.0-10.0.0.9"])
def test_a_network_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", value)
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        environment.networks("TRUSTED_PROXIES")


@pytest.mark.parametrize("forged", ["198.51.100.{}", "garbage{}", "2001:db8:{}::1", "{}\u00e9, , ;", "127.0.0.1, {}"])
def test_a_forged_header_gives_nobody_more(limiter: SharedWindow, client: Any, forged: str) -> None:
    allow(3, tier="anonymous", scope="auth")
    body = {"username": "li.na", "password": "wrong"}
    answers = [
        client.post(LOGIN, body, "application/json", HTTP_X_FORWARDED_FOR=forged.format(number)) for number in range(5)
    ]
    assert [one.status_code for one in answers] == [401, 401, 401, 429, 429]
    assert error_of(answers[-1], 429)["params"]["key"] == "ip:127.0.0.1"


def test_behind_a_trusted_proxy_each_client_has_its_own(limiter: SharedWindow, client: Any, trusting: None) -> None:
    def ask(forwarded: str) -> Any:
        return client.get("/api/auth/me", REMOTE_ADDR="10.0.0.5", HTTP_X_FORWARDED_FOR=forwarded)

    assert [remaining(ask("198.51.100.1")) for _ in range(2)] == [29, 28]
    assert remaining(ask("198.51.100.2")) == 29
    assert remaining(ask("6.6.6.6, 198.51.100.2")) == 28
    assert remaining(ask("2001:db8:1:2::7")) == 29
    assert remaining(ask("2001:db8:1:2::8")) == 28
