"""The pages of what was refused: an overview with charts, the log, and the counts by day."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.urls.resolvers import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import HistoryAdmin
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.events.overview import overview

STYLE = {"all": ("ratelimits/admin.css",)}


class RefusalsAdmin(HistoryAdmin):
    """A list from which the overview is one step away."""

    change_list_template = "admin/ratelimits/refusals.html"

    class Media:
        css = STYLE


@admin.register(RateLimitEvent)
class RateLimitEventAdmin(RefusalsAdmin):
    list_display = ("last_at", "caller", "times", "request_line", "scope", "limit", "address")
    list_display_links = ("last_at",)
    list_filter = ("scope", "tier", "last_at")
    list_select_related = ("user",)
    search_fields = ("=key", "=address", "=user__username", "path__startswith")
    fields = (
        "at", "last_at", "times", "key", "user", "address", "method", "path", "scope", "tier", "detail", "agent",
    )  # fmt: skip
    empty_hint = _(
        "Nothing was refused: whoever asks more often than a limit allows is noted here, a row a minute and path."
    )

    @admin.display(description=_("caller"), ordering="key")
    def caller(self, event: Any) -> str:
        """The person; else what is counted."""
        return str(event.user or event.key)

    @admin.display(description=_("limit"))
    def limit(self, event: Any) -> str:
        """How often, and whose."""
        return f"{event.detail} {event.tier}"

    @admin.display(description=_("request"), ordering="path")
    def request_line(self, event: Any) -> SafeString:
        """Method and path, cut where it is long; the whole of it is read when pointing at it."""
        return format_html('<span class="short-name" title="{0}">{0}</span>', f"{event.method} {event.path}")

    def get_urls(self) -> list[URLPattern]:
        """The overview, beside the list."""
        page = path("overview/", self.admin_site.admin_view(self.overview_view), name="ratelimits_overview")
        return [page, *super().get_urls()]

    def overview_view(self, request: HttpRequest) -> HttpResponse:
        """Charts and tables of this moment."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            **overview(),
            "opts": self.opts,
            "title": _("What limits refuse"),
        }
        return TemplateResponse(request, "admin/ratelimits/overview.html", context)


@admin.register(RateLimitDay)
class RateLimitDayAdmin(RefusalsAdmin):
    list_display = ("day", "key", "path", "refused")
    list_filter = ("day",)
    search_fields = ("=key", "path__startswith")
    fields = ("day", "key", "path", "refused")
    date_hierarchy = "day"
    empty_hint = _("Nothing was refused within the last month, or the counts were cleared.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Counts may be cleared, as over the API; the log of single refusals stays."""
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
