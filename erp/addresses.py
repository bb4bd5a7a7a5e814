"""Where a request comes from: the peer of the connection, or what a proxy that the operator trusts says of it.

Anybody may send ``X-Forwarded-For``. Each proxy appends whom it was asked by, so the list is read from its end, and
only as long as the one who appended is trusted. A client with a trusted address is taken for a proxy and believed:
networks in which clients are must not be trusted.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
UNKNOWN = ""
IPV6_PREFIX = 64
"""What one household or machine is given of IPv6; a limit by single address would be none."""


def client_address(request: HttpRequest) -> str:
    """The client's address as text; that of the peer where a trusted proxy sent nonsense, blank where it has none."""
    peer = _parsed(request.META.get("REMOTE_ADDR", ""))
    if peer is None:
        return UNKNOWN
    client = peer
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while hops and _is_trusted(client):
        said = hops.pop().strip()
        if not said:
            continue
        before = _parsed(said)
        if before is None:
            return str(peer)
        client = before
    return str(client)


def network_of(address: str, *, prefix: int = IPV6_PREFIX) -> str:
    """By what an address is counted: an IPv4 address itself, the first one of an IPv6 one's network, else blank."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, prefix), strict=False).network_address)
    return UNKNOWN if parsed is None else str(parsed)


def _parsed(text: str) -> Address | None:
    """An address in its shortest form: without a zone, and as IPv4 where it is one in disguise."""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)
