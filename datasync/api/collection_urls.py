"""Addresses of who collects, which stand under ``/api/`` itself."""

from django.urls import path

from datasync.api.views.collection import AccountStatsView, AccountsView, ComponentVersionsView

urlpatterns = [
    path("collection/accounts", AccountsView.as_view(), name="collection-accounts"),
    path("accounts/stats", AccountStatsView.as_view(), name="account-stats"),
    path("component-versions", ComponentVersionsView.as_view(), name="component-versions"),
]
