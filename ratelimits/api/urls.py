"""Addresses under ``/api/rate-limit/``."""

from django.urls import path

from ratelimits.api.views.config import RulesView, RuleView
from ratelimits.api.views.events import AnomaliesView, EventsView, StatsView
from ratelimits.api.views.mine import MyInfoView

urlpatterns = [
    path("config", RulesView.as_view(), name="rate-rules"),
    path("config/<int:rule_id>", RuleView.as_view(), name="rate-rule"),
    path("stats", StatsView.as_view(), name="rate-stats"),
    path("events", EventsView.as_view(), name="rate-events"),
    path("anomalies", AnomaliesView.as_view(), name="rate-anomalies"),
    path("my-info", MyInfoView.as_view(), name="my-rate-limits"),
]
