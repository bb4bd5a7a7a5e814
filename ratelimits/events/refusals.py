"""What is kept of a refused request: texts that a caller may have forged, made harmless and short.

Of the path that is the address of the call, as in ``/api/auth/tokens/<int:token_id>``: a caller may make up any number
of paths, but calls there are as many as the product has.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import Resolver404, resolve

from erp.addresses import client_address
from ratelimits.events.models import AGENT_LENGTH, KEY_LENGTH, OTHERS

UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused request. ``key`` is whom the limit counts (``user:7``, ``ip:10.0.0.1``), ``detail`` the limit."""

    key: str
    scope: str
    tier: str
    path: str
    method: str = "GET"
    detail: str = ""
    address: str = ""
    agent: str = ""

    @property
    def user_id(self) -> int | None:
        """The person, where the limit counts one."""
        return person_of(self.key)


def person_of(key: str) -> int | None:
    """The id of the person whom a limit counts under this key; None where it counts an address."""
    kind, _colon, number = key.partition(":")
    return int(number) if kind == "user" and number.isascii() and number.isdigit() else None


def refusal_of(request: HttpRequest, *, key: str, scope: str, tier: str, limit: int) -> Refusal:
    """What is kept of this request, which went beyond ``limit`` a minute."""
    return Refusal(
        key=harmless(key, most=KEY_LENGTH),
        scope=scope,
        tier=tier,
        path=address_of_call(request),
        method=harmless(request.method or "", most=10),
        detail=f"{limit}/m",
        address=harmless(client_address(request), most=45),
        agent=harmless(request.headers.get("User-Agent", ""), most=AGENT_LENGTH),
    )


def address_of_call(request: HttpRequest) -> str:
    """The path with names in place of what differs from one request to the other; ``OTHERS`` where no call is."""
    try:
        return f"/{resolve(request.path_info).route}"
    except Resolver404:
        return OTHERS


def harmless(text: str, *, most: int) -> str:
    """At most so many characters, without those that steer a terminal, break a line or turn the direction of text."""
    shown = "".join(char if char.isprintable() else UNPRINTABLE for char in text[:most])
    return shown if len(text) <= most else f"{shown[:-1]}…"
