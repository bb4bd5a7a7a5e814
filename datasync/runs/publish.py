"""Ringing the bell: a message says that a task has files waiting, nothing more.

Connections for publishing are apart from the worker's own, with short time-outs, so that a broker that is dead,
frozen or silent costs at most about a second.
"""

from __future__ import annotations

import logging

from celery import current_app
from kombu import Connection, pools
from kombu.exceptions import KombuError

from datasync.models import SyncProgressTask
from erp.broker import PUBLISH_RETRY, PUBLISH_SOCKET_SECONDS, broker_priority, is_redis

logger = logging.getLogger(__name__)
SLICE_TASK = "data_sync.run_slice"


def publish(
    task: SyncProgressTask, *, messages: int = 1, first_id: str | None = None, priority: int | None = None
) -> bool:
    """Send up to so many messages for the task; False as soon as the broker does not take one.

    ``first_id`` becomes the id of the first message; ``priority`` is the task's own where it is not given. A False
    message may have arrived all the same: claims make a message too many harmless.
    """
    redis = is_redis(current_app.conf.broker_url)
    options = {"socket_timeout": PUBLISH_SOCKET_SECONDS, "socket_connect_timeout": PUBLISH_SOCKET_SECONDS}
    connection = current_app.connection_for_write(
        connect_timeout=PUBLISH_SOCKET_SECONDS, transport_options=options if redis else None
    )
    try:
        with pools.producers[connection].acquire(block=True, timeout=1) as producer:
            for number in range(messages):
                current_app.send_task(
                    SLICE_TASK,
                    args=[task.pk],
                    task_id=first_id if number == 0 else None,
                    priority=broker_priority(priority or task.priority, redis=redis),
                    producer=producer,
                    ignore_result=True,
                    retry=True,
                    retry_policy=PUBLISH_RETRY,
                )
    except _failures(connection) as error:
        logger.warning("The broker did not take the message of task %s: %s", task.task_id, error)
        return False
    return True


def _failures(connection: Connection) -> tuple[type[BaseException], ...]:
    """What publishing raises when the broker, not we, is at fault."""
    return (KombuError, OSError, *connection.connection_errors, *connection.channel_errors)
