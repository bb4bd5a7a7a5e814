"""X-Forwarded-For with anything in it: it gets nobody more requests, and breaks nothing."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tests.rates import limiter

__all__ = ["limiter"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limiter")]
ME = "/api/auth/me"
PROXY = "10.0.0.1"
GARBAGE = (
    "", ",", " , ,, ", "unknown", "_hidden", "<script>alert(1)</script>", "999.999.999.999", "1.2.3", "1.2.3.4:80",
    "[2001:db8::1]:443", "::1%eth0%eth0", "127.0.0.1\x00", "\xe9\xff", "-1", "0x7f000001", "2130706433", "1.2.3.4/32",
    "for=1.2.3.4;proto=https", "x" * 8_000, "1.2.3.4," * 1_000, "' OR 1=1 --", "1.2.3.4, garbage",
)  # fmt: skip


def remaining(client: Client, peer: str, forwarded: str) -> int:
    """How many requests are left to whoever asks from there, sending this."""
    response = client.get(ME, REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert response.status_code == 401, (forwarded[:60], response.status_code)
    return int(response["X-RateLimit-Remaining"])


def test_whoever_is_no_proxy_cannot_say_where_they_come_from() -> None:
    client = APIClient(raise_request_exception=False)
    left = [remaining(client, "203.0.113.7", forwarded) for forwarded in GARBAGE]
    assert left == list(range(29, 29 - len(GARBAGE), -1))
    for number in range(30 - len(GARBAGE)):
        remaining(client, "203.0.113.7", f"198.51.100.{number}")
    refused = client.get(ME, REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR="198.51.100.200")
    assert refused.status_code == 429
    assert refused.json()["error"]["params"]["key"] == "ip:203.0.113.7"


@pytest.mark.parametrize("forwarded", GARBAGE, ids=range(len(GARBAGE)))
def test_nonsense_of_a_trusted_proxy_breaks_nothing(settings: Any, forwarded: str) -> None:
    """And counts as one caller: the same nonsense twice is two requests of somebody."""
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)
    client = APIClient(raise_request_exception=False)
    first = remaining(client, PROXY, forwarded)
    assert (first, remaining(client, PROXY, forwarded)) == (29, 28)


def test_what_stands_before_the_last_untrusted_address_is_not_believed(settings: Any) -> None:
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)
    client = APIClient(raise_request_exception=False)
    lists = [f"{claimed}, 203.0.113.9, 10.0.0.2" for claimed in ("198.51.100.1", "10.0.0.3", "garbage", "::1", "")]
    assert [remaining(client, PROXY, forwarded) for forwarded in lists] == [29, 28, 27, 26, 25]


@pytest.mark.parametrize("peer", ["", "unix:", "garbage", "::1%lo", "::ffff:203.0.113.7"])
def test_a_peer_without_a_usable_address_is_limited_too(peer: str) -> None:
    client = APIClient(raise_request_exception=False)
    assert [remaining(client, peer, forwarded) for forwarded in ("198.51.100.1", "198.51.100.2")] == [29, 28]
