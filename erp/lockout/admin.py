"""Failed sign-ins of the last while: looked at, and lifted."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from datasync.admin.base import HistoryAdmin, badge

NAMES = (gettext_noop("access attempt"), gettext_noop("access attempts"))
"""What django-axes calls them, for which it has no Chinese."""


@admin.register(AccessAttempt)
class FailedSignInAdmin(HistoryAdmin):
    """A failure counts with all others of the same name and address, from whatever program they came."""

    list_display = ("name", "from_where", "failures", "state", "last_at", "agent")
    search_fields = ("username", "ip_address")
    fields = ("name", "from_where", "failures", "state", "last_at", "agent")
    readonly_fields = fields
    actions = ("lift",)
    empty_hint = gettext_lazy("Nobody failed to sign in of late.")

    @admin.display(description=gettext_lazy("name"), ordering="username")
    def name(self, attempt: Any) -> str:
        """As it was typed."""
        return str(attempt.username)

    @admin.display(description=gettext_lazy("address"), ordering="ip_address")
    def from_where(self, attempt: Any) -> str:
        """By which it is counted."""
        return str(attempt.ip_address)

    @admin.display(description=gettext_lazy("failures"), ordering="failures_since_start")
    def failures(self, attempt: Any) -> int:
        """With this program."""
        return int(attempt.failures_since_start)

    @admin.display(description=gettext_lazy("last failure"), ordering="attempt_time")
    def last_at(self, attempt: Any) -> Any:
        """After it, it is forgotten in time."""
        return attempt.attempt_time

    @admin.display(description=gettext_lazy("program"))
    def agent(self, attempt: Any) -> str:
        """What it calls itself."""
        return str(attempt.user_agent)

    @admin.display(description=gettext_lazy("state"))
    def state(self, attempt: Any) -> SafeString:
        """Whether this row alone locks."""
        if attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT:
            return badge(_("locked"), "red")
        return badge(_("counted"), "grey")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Whoever may delete failures."""
        return bool(request.user.has_perm("axes.delete_accessattempt"))

    @admin.action(description=gettext_lazy("Let them sign in again"), permissions=("lift",))
    def lift(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Forget the chosen failures and all others of the same names and addresses; noted in the admin's log."""
        lifted = 0
        for username, address in set(queryset.values_list("username", "ip_address")):
            attempts = AccessAttempt.objects.filter(username=username, ip_address=address)
            self.log_deletions(request, attempts)
            attempts.delete()
            lifted += 1
        told = ngettext("Lifted %(count)s lock-out.", "Lifted %(count)s lock-outs.", lifted) % {"count": lifted}
        messages.success(request, told)
