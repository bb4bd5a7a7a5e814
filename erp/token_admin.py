"""API tokens in the console: looked at, and ended."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import HistoryAdmin, badge
from erp.models import ApiToken, password_digest


class UsableFilter(admin.SimpleListFilter):
    """Tokens that may still be used, and those that may not."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two kinds."""
        return [("usable", gettext("neither revoked nor expired")), ("ended", gettext("revoked or expired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The tokens of that kind."""
        usable = ApiToken.objects.usable().values("pk")
        if self.value() == "usable":
            return queryset.filter(pk__in=usable)
        return queryset.exclude(pk__in=usable) if self.value() == "ended" else queryset


@admin.register(ApiToken)
class ApiTokenAdmin(HistoryAdmin):
    """Tokens are issued by signing in, as many as a person has programs; here they are ended."""

    list_display = ("id", "user", "label", "state", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = (UsableFilter, "revoked_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "label")
    fields = ("user", "label", "state", "created_at", "last_used_at", "expires_at", "revoked_at")
    actions = ("revoke",)
    empty_hint = _("No token yet. A program gets one by signing in: POST /api/auth/login.")

    @admin.display(description=_("state"))
    def state(self, token: Any) -> SafeString:
        """Whether it signs in, and if not, why."""
        if token.revoked_at is not None:
            return badge(gettext("revoked"), "grey")
        if token.expires_at <= timezone.now():
            return badge(gettext("expired"), "grey")
        if not token.user.is_active:
            return badge(gettext("the person may not sign in"), "grey")
        if not constant_time_compare(token.password_digest, password_digest(token.user)):
            return badge(gettext("ended by a new password"), "grey")
        return badge(gettext("can be used"), "green")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may change tokens, although nothing else of them changes."""
        return may_revoke(request)

    @admin.action(description=_("Revoke at once"), permissions=("revoke",))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """End the chosen tokens; what is written down of them stays."""
        revoke_tokens(self, request, queryset)


def may_revoke(request: HttpRequest) -> bool:
    """Whether whoever is at work may end tokens of others."""
    return request.user.has_perm("erp.change_apitoken")


def revoke_tokens(page: admin.ModelAdmin[Any], request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
    """End those of the tokens that are not ended yet, each noted in the admin's log, and say how many."""
    ended = 0
    for token in tokens.filter(revoked_at=None):
        token.revoke()
        page.log_change(request, token, [{"changed": {"fields": ["revoked_at"]}}])
        ended += 1
    told = ngettext("Revoked %(count)s token.", "Revoked %(count)s tokens.", ended) % {"count": ended}
    messages.success(request, told)
