"""Who asks: found once, before the view, and left on the request for whoever needs it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.http import HttpRequest

from erp.addresses import IPV6_PREFIX, client_address, network_of
from erp.api.authentication import bearer_token

_IPV6 = ":"


@dataclass(frozen=True, slots=True)
class Caller:
    """A person, or an address from which somebody asks who has not signed in."""

    address: str
    user: User | None = None

    @property
    def key(self) -> str:
        """By what the caller is counted: ``user:7``, ``ip:10.0.0.1`` or ``ip:2001:db8::/64``."""
        return f"user:{self.user.pk}" if self.user is not None else self.address_key

    @property
    def address_key(self) -> str:
        """The same for whoever asks from there."""
        network = network_of(self.address) or "unknown"
        return f"ip:{network}/{IPV6_PREFIX}" if _IPV6 in network else f"ip:{network}"

    def network_key(self, prefix: int) -> str:
        """A network around an IPv6 address: ``net:2001:db8::/48``; blank for IPv4."""
        network = network_of(self.address, prefix=prefix)
        return f"net:{network}/{prefix}" if _IPV6 in network else ""


def caller_of(request: HttpRequest) -> Caller:
    """The person of the bearer token; without one, that of the session; else an address.

    A bearer token that is good for nothing makes nobody of whoever sends it, as it does in the view.
    """
    address = client_address(request)
    carried = getattr(request, "bearer_token", None) or bearer_token(request)
    if carried is not None:
        request.bearer_token = carried  # type: ignore[attr-defined]
        return Caller(address, carried.token.user if carried.token else None)
    user = getattr(request, "user", None)  # not there where the request was answered before anybody was looked for
    return Caller(address, user if isinstance(user, User) else None)
