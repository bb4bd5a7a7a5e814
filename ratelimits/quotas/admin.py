"""The limits of persons and tiers, and what a person has at this moment."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import EVERYTHING
from datasync.admin.base import NOTHING, OperatorAdmin, pairs_table
from ratelimits.quotas.models import LIMITS, UserQuota
from ratelimits.quotas.selectors import standing_of


@admin.register(UserQuota)
class UserQuotaAdmin(OperatorAdmin):
    list_display = ("of_whom", *LIMITS, "changed_at", "changed_by")
    list_select_related = ("user", "tier", "changed_by")
    search_fields = ("user__username", "tier__name")
    autocomplete_fields = ("user",)
    fields = ("user", "tier", *LIMITS, "at_this_moment", "changed_at", "changed_by")
    readonly_fields = ("at_this_moment", "changed_at", "changed_by")
    empty_hint = gettext_lazy(
        "Nobody has limits of their own: those of the installation hold for all but staff. “Add” gives a person or a "
        "tier others."
    )

    @admin.display(description=gettext_lazy("person or tier"), ordering="user__username")
    def of_whom(self, quota: Any) -> str:
        """The person, or the tier as such."""
        return _("tier %(name)s") % {"name": quota.tier} if quota.tier else str(quota.user)

    @admin.display(description=gettext_lazy("at this moment"))
    def at_this_moment(self, quota: Any) -> SafeString | str:
        """What the person has; a tier as such has nothing."""
        if quota.user is None:
            return NOTHING
        standing = standing_of(quota.user, sight=EVERYTHING)  # nobody who is limited to shops has this page
        return pairs_table(
            (
                (_("active tasks"), ", ".join(task.task_id for task in standing.tasks) or NOTHING),
                (_("rows today"), f"{standing.rows_today:,}"),
            )
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Note who changed it."""
        obj.changed_by_id = request.user.pk
        super().save_model(request, obj, form, change)
