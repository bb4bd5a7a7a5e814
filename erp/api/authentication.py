"""Sign-in by bearer token, for programs; browsers use the session with CSRF."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from erp.models import ApiToken, digest_of

_LONGEST_SECRET = 200


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``: malformed, unknown, expired and revoked tokens are told alike."""

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
        return ApiToken.objects.usable().select_related("user").filter(digest=digest_of(secret.decode("ascii"))).first()


def person_of(request: Request) -> User:
    """Whoever is signed in; a view without a permission class is not open by mistake."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names the bearer token; importing this module registers it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002 - spectacular's signature
        """HTTP bearer."""
        return {"type": "http", "scheme": "bearer"}
