"""The first of the authentication backends: it lets nobody in, but refuses whoever is locked out."""

from __future__ import annotations

from typing import Any

from axes.backends import AxesStandaloneBackend
from django.http import HttpRequest

from erp.addresses import client_address, network_of


class LockOutBackend(AxesStandaloneBackend):  # type: ignore[misc]
    """Without a request nobody stands at a door: a script or a test that signs somebody in is not counted."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> None:
        """Raise ``PermissionDenied`` for whoever is locked out; a right password does not help then."""
        if request is not None:
            super().authenticate(request, username=username, password=password, **kwargs)


def counted_address(request: HttpRequest) -> str | None:
    """Where failures are counted: an IPv4 address, or the beginning of an IPv6 one's network."""
    return network_of(client_address(request)) or None
