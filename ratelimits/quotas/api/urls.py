"""Addresses under ``/api/quota/``."""

from django.urls import path

from ratelimits.quotas.api.views import MyQuotaView, UserQuotasView, UserQuotaView

urlpatterns = [
    path("me", MyQuotaView.as_view(), name="my-quota"),
    path("users", UserQuotasView.as_view(), name="user-quotas"),
    path("users/<int:user_id>", UserQuotaView.as_view(), name="user-quota"),
]
