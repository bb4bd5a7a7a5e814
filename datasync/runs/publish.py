"""Ringing the bell: a message says that a task has files waiting, nothing more."""

from __future__ import annotations

import logging

from celery import current_app

from datasync.models import SyncProgressTask
from erp.broker import broker_priority, is_redis
from erp.publishing import BrokerAway, send, short_producer

logger = logging.getLogger(__name__)
SLICE_TASK = "data_sync.run_slice"


def publish(
    task: SyncProgressTask, *, messages: int = 1, first_id: str | None = None, priority: int | None = None
) -> bool:
    """Send up to so many messages for the task; False as soon as the broker does not take one.

    ``first_id`` becomes the id of the first message; ``priority`` is the task's own where it is not given. A False
    message may have arrived all the same: claims make a message too many harmless.
    """
    number = broker_priority(priority or task.priority, redis=is_redis(current_app.conf.broker_url))
    try:
        with short_producer() as producer:
            for at in range(messages):
                send(producer, SLICE_TASK, args=[task.pk], task_id=None if at else first_id, priority=number)
    except BrokerAway as error:
        logger.warning("The broker did not take the message of task %s: %s", task.task_id, error)
        return False
    return True
