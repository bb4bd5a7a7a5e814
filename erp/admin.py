"""What the project itself stores, and Celery's results: looked at, and tokens ended."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_celery_results.admin import GroupResultAdmin, TaskResultAdmin
from django_celery_results.models import GroupResult, TaskResult

from datasync.admin.base import HistoryAdmin
from erp.models import ApiToken, WorkerHeartbeat


@admin.register(ApiToken)
class ApiTokenAdmin(HistoryAdmin):
    """Tokens are issued by signing in; here they are ended."""

    list_display = ("id", "user", "label", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("revoked_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "label")
    fields = ("user", "label", "created_at", "last_used_at", "expires_at", "revoked_at")
    actions = ("revoke",)
    empty_hint = _("No token yet. A program gets one by signing in: POST /api/auth/login.")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may change tokens, although nothing else of them changes."""
        return request.user.has_perm("erp.change_apitoken")

    @admin.action(description=_("Revoke at once"), permissions=("revoke",))
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """End the chosen tokens; what is written down of them stays."""
        ended = 0
        for token in queryset.filter(revoked_at=None):
            token.revoke()
            self.log_change(request, token, [{"changed": {"fields": ["revoked_at"]}}])
            ended += 1
        told = ngettext("Revoked %(count)s token.", "Revoked %(count)s tokens.", ended) % {"count": ended}
        messages.success(request, told)


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(HistoryAdmin):
    list_display = ("worker", "seen_at")
    search_fields = ("worker",)
    empty_hint = _("No worker was heard of within the last day. “make serve” starts one.")


class ResultHistory(HistoryAdmin):
    """What Celery noted of a task. The sync tasks say more."""

    empty_hint = _("No result yet: each task that a worker ran leaves one here.")


def _as_history(shown: type[Any]) -> type[HistoryAdmin]:
    """A page of django-celery-results as it comes, without its ways to change what happened."""
    kept = ("date_hierarchy", "list_display", "list_filter", "search_fields", "fieldsets")
    told: dict[str, Any] = {name: getattr(shown, name) for name in kept}
    return type(shown.__name__, (ResultHistory,), told)


for _model, _shown in ((TaskResult, TaskResultAdmin), (GroupResult, GroupResultAdmin)):
    admin.site.unregister(_model)
    admin.site.register(_model, _as_history(_shown))
