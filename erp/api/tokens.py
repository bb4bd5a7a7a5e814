"""The tokens with which a person's programs sign in: looked at and ended by their person."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.exceptions import NotFound
from erp.api.authentication import person_of
from erp.api.pagination import PagedQuery, paginate
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated
from erp.models import ApiToken, ApiTokenQuerySet, password_digest

_TOKEN = {
    "id": 12,
    "label": "collector-01",
    "created_at": "2026-03-06T05:16:50Z",
    "last_used_at": "2026-03-06T08:00:12Z",
    "expires_at": "2026-04-05T05:16:50Z",
    "current": True,
}


class TokenNotFound(NotFound):
    """You have no such token: %(what)s."""

    code = "TOKEN_NOT_FOUND"
    recovery = "List your tokens; those that expired or were revoked are not among them."


class Token(serializers.ModelSerializer[ApiToken]):
    """A token, without what signs in with it: that was shown once."""

    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text="To the hour.")
    current = serializers.SerializerMethodField(help_text="Whether this request was made with it.")

    class Meta:
        model = ApiToken
        fields: ClassVar = ("id", "label", "created_at", "last_used_at", "expires_at", "current")
        read_only_fields = fields

    def get_current(self, token: ApiToken) -> bool:
        """Whether the request was made with it."""
        return bool(token.pk == self.context["current_id"])


class TokensView(APIView):
    """``GET /api/auth/tokens``"""

    @documented(
        name="list_my_tokens",
        summary="Your tokens that can be used, newest first",
        tag="auth",
        answer=Token,
        example=[_TOKEN],
        many=True,
        paged=True,
        query=PagedQuery,
        notes="A new one comes by signing in; a new password ends them all.",
    )
    def get(self, request: Request) -> Answer:
        query = validated(PagedQuery, request.query_params)
        page = paginate(_usable(person_of(request)), page=query["page"], page_size=query["page_size"])
        return Answer(Token(page.rows, many=True, context={"current_id": _current(request)}).data, page=page)


class TokenView(APIView):
    """``DELETE /api/auth/tokens/{id}``"""

    @documented(
        name="revoke_my_token",
        summary="End one of your tokens at once and for good",
        tag="auth",
        errors=(TokenNotFound,),
        notes="The one with which this request is made can be ended too, as by signing out.",
        changes=True,
    )
    def delete(self, request: Request, token_id: int) -> Answer:
        token = _usable(person_of(request)).filter(pk=token_id).first()
        if token is None:
            raise TokenNotFound(what=token_id)
        token.revoke()
        return Answer(None, message=_("The token was revoked."))


def _usable(person: User) -> ApiTokenQuerySet:
    return ApiToken.objects.usable().filter(user=person, password_digest=password_digest(person))


def _current(request: Any) -> int | None:
    return request.auth.pk if isinstance(request.auth, ApiToken) else None
