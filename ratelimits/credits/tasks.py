"""Celery's doors to this room. A message that comes twice does nothing twice: each entry has its key."""

from __future__ import annotations

import logging
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from ratelimits.credits import charging, selectors, services
from ratelimits.quotas.selectors import person_with

logger = logging.getLogger(__name__)


@shared_task(name="tasks.credits.grant")
def grant_credits(user_id: int, amount: int, key: str, note: str = "", expires_at: str | None = None) -> int:
    """Give a person credits, which end at an ISO time, or never; the balance after that."""
    end = None if expires_at is None else _moment(expires_at)
    return services.grant(person_with(user_id), amount=amount, key=key, note=note, expires_at=end).balance_after


@shared_task(name="tasks.credits.consume", ignore_result=True)
def consume_credits(task_id: str | None = None) -> None:
    """Charge what a task synced that has ended; without an id, all tasks that were missed."""
    if task_id is None:
        charging.charge_missed()
    else:
        charging.charge_task(task_id)


@shared_task(name="tasks.credits.refund")
def refund_credits(task_id: str, note: str = "") -> int:
    """Give back what was taken for a task; how much that was."""
    entry = services.refund(task_id, note=note)
    return entry.amount if entry else 0


@shared_task(name="tasks.credits.expire", ignore_result=True)
def expire_credits(user_id: int | None = None) -> None:
    """Take out what is left of credits that have ended, of a person or of all."""
    services.expire(None if user_id is None else person_with(user_id))


@shared_task(name="tasks.credits.check", ignore_result=True)
def check_credits() -> None:
    """Charge what was missed however long ago, and log whose ledger does not add up."""
    charging.charge_missed(within=None)
    for one in selectors.mismatches():
        logger.error(
            "the credits of %s do not add up: balance %s, sum of the entries %s, left of the grants %s",
            one.username, one.balance, one.entries, one.left,
        )  # fmt: skip


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
