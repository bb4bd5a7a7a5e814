"""Addresses under ``/api/credits/``."""

from django.urls import path

from ratelimits.credits.api.views import BalanceView, EntriesView, GrantView

urlpatterns = [
    path("balance", BalanceView.as_view(), name="credits-balance"),
    path("entries", EntriesView.as_view(), name="credits-entries"),
    path("users/<int:user_id>/grant", GrantView.as_view(), name="credits-grant"),
]
