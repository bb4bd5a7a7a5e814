"""Celery's doors to the project's own rooms."""

from __future__ import annotations

from celery import shared_task

from erp.caching import services as caching


@shared_task(name="scheduled.warm_cache", ignore_result=True)
def warm_cache() -> None:
    """Compute again what a change made outdated and somebody is likely to ask for."""
    caching.warm_what_is_asked_for()
