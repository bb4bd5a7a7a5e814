"""Accounts and component versions: kept up to date by hand, released and withdrawn from the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from datasync.admin.base import OperatorAdmin, state_badge
from datasync.admin.messages import report_error
from datasync.choices import ACCOUNT_COLOURS, VERSION_COLOURS, AccountState, VersionState
from datasync.collection import services
from datasync.exceptions import SyncError
from datasync.models import CollectionAccount, ComponentVersion


@admin.register(CollectionAccount)
class CollectionAccountAdmin(OperatorAdmin):
    list_display = ("account", "platform", "badge", "shop_count", "last_collected_at", "note")
    list_filter = ("platform", "state", "last_collected_at")
    list_select_related = ("platform",)
    search_fields = ("account", "shops__name", "shops__shop_id")
    filter_horizontal = ("shops",)
    fields = ("platform", "account", "state", "shops", "last_collected_at", "note")
    actions = ("activate", "pause", "block")
    empty_hint = _("No account yet. Add the accounts with which exports are collected; passwords are not kept here.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the shops along."""
        counted: QuerySet[Any] = super().get_queryset(request).annotate(counted_shops=Count("shops", distinct=True))
        return counted

    @admin.display(description=_("state"), ordering="state")
    def badge(self, account: Any) -> SafeString:
        """The state, coloured."""
        return state_badge(account, ACCOUNT_COLOURS)

    @admin.display(description=_("shops"), ordering="counted_shops")
    def shop_count(self, account: Any) -> int:
        """How many shops it reaches."""
        return int(account.counted_shops)

    @admin.action(description=_("Collect with them"), permissions=("change",))
    def activate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say that exports are collected with the chosen accounts."""
        self._set(request, queryset, AccountState.ACTIVE)

    @admin.action(description=_("Pause"), permissions=("change",))
    def pause(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say that nothing is collected with the chosen accounts for now."""
        self._set(request, queryset, AccountState.PAUSED)

    @admin.action(description=_("Note that the platform blocks them"), permissions=("change",))
    def block(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say that the platform lets nobody in with the chosen accounts."""
        self._set(request, queryset, AccountState.BLOCKED)

    def _set(self, request: HttpRequest, chosen: QuerySet[Any], state: AccountState) -> None:
        changed = services.set_account_state(list(chosen.values_list("pk", flat=True)), state=state)
        for account in changed:
            self.log_change(request, account, [{"changed": {"fields": ["state"]}}])
        told = ngettext("Changed %(count)s account.", "Changed %(count)s accounts.", len(changed))
        messages.success(request, told % {"count": len(changed)})


@admin.register(ComponentVersion)
class ComponentVersionAdmin(OperatorAdmin):
    """A draft is written; what was released is history, which goes on only by being withdrawn."""

    list_display = ("component", "version", "platform", "badge", "released_at", "note")
    list_filter = ("component", "platform", "state")
    list_select_related = ("platform",)
    search_fields = ("component", "version", "checksum")
    fields = ("component", "version", "platform", "badge", "checksum", "released_at", "note")
    actions = ("release", "withdraw")
    empty_hint = _("No version yet. Add the versions of the collecting components, and release them from this list.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What was released stays as it is; a note can be added."""
        if obj is None or obj.state == VersionState.DRAFT:
            return ("badge",)
        return ("component", "version", "platform", "badge", "checksum", "released_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Drafts only, one by one: what was released may be installed somewhere."""
        return obj is not None and obj.state == VersionState.DRAFT and super().has_delete_permission(request, obj)

    @admin.display(description=_("state"), ordering="state")
    def badge(self, version: Any) -> SafeString:
        """The state, coloured."""
        return state_badge(version, VERSION_COLOURS)

    @admin.action(description=pgettext_lazy("component version", "Release"), permissions=("change",))
    def release(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Release the chosen drafts."""
        released = self._act(request, queryset, services.release_version)
        told = ngettext("Released %(count)s version.", "Released %(count)s versions.", released)
        messages.success(request, told % {"count": released})

    @admin.action(description=_("Withdraw for good"), permissions=("change",))
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Withdraw the chosen versions."""
        withdrawn = self._act(request, queryset, services.withdraw_version)
        told = ngettext("Withdrew %(count)s version.", "Withdrew %(count)s versions.", withdrawn)
        messages.success(request, told % {"count": withdrawn})

    def _act(self, request: HttpRequest, chosen: QuerySet[Any], act: Callable[[int], ComponentVersion]) -> int:
        """How many it was done with; of the others it is told why not."""
        done = 0
        for version in chosen:
            try:
                self.log_change(request, act(version.pk), [{"changed": {"fields": ["state"]}}])
            except SyncError as error:
                report_error(request, error, about=str(version))
                continue
            done += 1
        return done
