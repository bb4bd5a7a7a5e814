"""Sign-in by bearer token, for programs; browsers use the session with CSRF."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from erp.models import ApiToken

_LONGEST_SECRET = 200


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``: malformed, unknown, ended and revoked tokens are told alike."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """The token's user, or None when the request carries no bearer token."""
        scheme, _space, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = self._token(secret.strip())
        if token is None:
            raise AuthenticationFailed(_("The token is not valid, has expired or was revoked."))
        token.record_use()
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - DRF's signature
        """Make DRF answer 401 instead of 403."""
        return "Bearer"

    @staticmethod
    def _token(secret: bytes) -> ApiToken | None:
        if not secret or len(secret) > _LONGEST_SECRET or not secret.isascii():
            return None
        return ApiToken.find(secret.decode("ascii"))


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
