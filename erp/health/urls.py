"""Addresses that orchestrators and load balancers ask; they need no sign-in and tell no internals."""

from django.urls import path

from erp.health.views import live, ready

urlpatterns = [
    path("live", live, name="health-live"),
    path("ready", ready, name="health-ready"),
]
