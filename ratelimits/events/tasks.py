"""Celery's door to this room."""

from __future__ import annotations

from celery import shared_task

from ratelimits.events.services import purge


@shared_task(name="tasks.stats.purge_rate_limit_events", ignore_result=True)
def purge_rate_limit_events() -> None:
    """Forget refusals that are old, or too many."""
    purge()
