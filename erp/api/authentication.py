"""Sign-in by bearer token, for programs; browsers use the session with CSRF."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from erp.models import ApiToken

_LONGEST_SECRET = 200


class TokenRefused(AuthenticationFailed):
    """Why is not told."""

    default_detail = _("The token is not valid, has expired or was revoked.")


@dataclass(frozen=True, slots=True)
class Carried:
    """The bearer token that a request carries; None where it is malformed, unknown, ended or revoked."""

    token: ApiToken | None


def bearer_token(request: HttpRequest) -> Carried | None:
    """What the request carries as bearer token; None where it carries none. One statement at most."""
    scheme, _space, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    secret = secret.strip()
    if not secret or len(secret) > _LONGEST_SECRET or not secret.isascii():
        return Carried(None)
    return Carried(ApiToken.find(secret))


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``: malformed, unknown, ended and revoked tokens are told alike."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """The token's user, or None when the request carries no bearer token.

        The rate limiter has looked it up before and left it on the request.
        """
        carried: Carried | None = getattr(request, "bearer_token", None) or bearer_token(request)
        if carried is None:
            return None
        if carried.token is None:
            raise TokenRefused
        carried.token.record_use()
        return carried.token.user, carried.token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        """Make DRF answer 401 instead of 403."""
        return "Bearer"


class CsrfFailed(PermissionDenied):
    """A browser's session without the token that proves that the page was ours."""

    default_detail = _("The CSRF token is missing or wrong.")


class BrowserSession(SessionAuthentication):
    """The session cookie of a browser; what changes something has to carry the CSRF token."""

    def enforce_csrf(self, request: Request) -> None:
        """Tell a missing or wrong token as just that."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied:
            raise CsrfFailed from None


def person_of(request: Request) -> User:
    """Whoever is signed in; a view without a permission class is not open by mistake."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def still_signed_in(request: Request) -> User | None:
    """Whoever sent the request, read anew; None where the token or session it came with holds no more.

    For an answer that goes on for long. One statement, two for a session.
    """
    if isinstance(request.auth, ApiToken):
        carried = bearer_token(request)
        return carried.token.user if carried and carried.token else None
    anew = HttpRequest()
    anew.session = import_module(settings.SESSION_ENGINE).SessionStore(request.session.session_key)
    person = get_user(anew)
    return person if isinstance(person, User) else None


def staff_of(request: Request) -> User:
    """Whoever is signed in, who has to be staff; raises ``PermissionDenied``."""
    person = person_of(request)
    if not person.is_staff:
        raise PermissionDenied
    return person


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names the bearer token; importing this module registers it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - spectacular's signature
        """HTTP bearer."""
        return {"type": "http", "scheme": "bearer"}


class BrowserSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names the session."""

    target_class = "erp.api.authentication.BrowserSession"
