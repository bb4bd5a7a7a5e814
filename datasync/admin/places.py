"""Platforms, shops and their aliases: what operators keep up to date by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import OperatorAdmin, list_link
from datasync.admin.sight import sight_of
from datasync.models import CatalogFile, Platform, Shop, ShopAlias


@admin.register(Platform)
class PlatformAdmin(OperatorAdmin):
    list_display = ("name", "code", "active", "shop_count")
    list_filter = ("active",)
    search_fields = ("code", "name")
    empty_hint = _("No platform yet. Add one: its code is the word that file names and templates use.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the shops in sight along."""
        sight = sight_of(request)
        seen = Q(shops__in=sight.shop_ids) if sight.shop_ids is not None else Q()
        counted: QuerySet[Any] = super().get_queryset(request).annotate(counted_shops=Count("shops", filter=seen))
        return counted

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A code that files and facts carry stays as it is."""
        return ("code",) if obj else ()

    @admin.display(description=_("shops"), ordering="counted_shops")
    def shop_count(self, platform: Any) -> object:
        """How many shops, with a link to them."""
        return list_link(Shop, platform.counted_shops, platform__code__exact=platform.pk)


class AliasInline(admin.TabularInline[Any, Any]):
    model = ShopAlias
    extra = 0
    fields = ("platform", "label")


@admin.register(Shop)
class ShopAdmin(OperatorAdmin):
    list_display = ("__str__", "platform", "shop_id", "region", "currency", "timezone", "active", "files")
    list_filter = ("platform", "region", "currency", "active")
    list_select_related = ("platform",)
    search_fields = ("shop_id", "name", "aliases__label")
    inlines = (AliasInline,)
    empty_hint = _("No shop yet. Add one, or scan files whose names or side files say which shop they are of.")

    @admin.display(description=_("files"))
    def files(self, shop: Any) -> object:
        """A link to the shop's files."""
        return list_link(CatalogFile, _("files"), shop__id__exact=shop.pk)


@admin.register(ShopAlias)
class ShopAliasAdmin(OperatorAdmin):
    list_display = ("label", "shop", "platform")
    list_filter = ("platform",)
    list_select_related = ("shop", "platform")
    search_fields = ("label", "shop__name", "shop__shop_id")
    autocomplete_fields = ("shop",)
    empty_hint = _("No alias yet. Add the label under which an export names a shop, such as “Shopee菲律宾2店”.")
