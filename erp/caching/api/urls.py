"""Addresses under ``/api/cache/``."""

from django.urls import path

from erp.caching.api.views import CacheClearView, CacheStatusView

urlpatterns = [
    path("status", CacheStatusView.as_view(), name="cache-status"),
    path("clear", CacheClearView.as_view(), name="cache-clear"),
]
