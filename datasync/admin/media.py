"""Pictures and archives made from files: looked at, never changed."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import HistoryAdmin
from datasync.models import ExportArchive, ProductImage


@admin.register(ProductImage)
class ProductImageAdmin(HistoryAdmin):
    list_display = ("sku", "file", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("file",)
    search_fields = ("=sku",)
    empty_hint = _("No pictures. They are taken from stock exports that carry them.")


@admin.register(ExportArchive)
class ExportArchiveAdmin(HistoryAdmin):
    list_display = ("id", "what", "owner", "size", "created_at", "finished_at")
    list_filter = ("what", "created_at")
    list_select_related = ("owner",)
    search_fields = ("owner__username",)
    empty_hint = _("Nobody has asked for an archive of files yet.")
