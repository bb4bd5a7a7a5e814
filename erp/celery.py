"""The Celery app. Its settings are Django's ``CELERY_*``; tasks live in each application's ``tasks.py``."""

from __future__ import annotations

import os

from celery import Celery

from erp.health.heartbeat import HeartbeatStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "erp.settings")

app = Celery("erp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["consumer"].add(HeartbeatStep)
