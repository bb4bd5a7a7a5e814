"""Giving turns: a message says that there is work, nothing more."""

from __future__ import annotations

import logging
import time

from celery import current_app
from kombu import Producer

from erp.broker import broker_priority, is_redis
from erp.connections import PUBLISH_SECONDS
from erp.publishing import BUDGET_SECONDS, BrokerAvoided, BrokerAway, send, with_producer

logger = logging.getLogger(__name__)
TURN_TASK = "data_sync.take_turn"
USUAL_PRIORITY = 5


def give_turns(*, turns: int = 1, first_id: str | None = None, priority: int = USUAL_PRIORITY) -> bool:
    """Send so many messages; False where the broker does not take one.

    ``first_id`` becomes the id of the first; ``priority`` is one of ours, 10 first. A slow broker is given fewer: one
    turn finds all the work, others only sooner. A message of which False was said may have arrived all the same:
    claims make one too many harmless.
    """
    number = broker_priority(priority, redis=is_redis(current_app.conf.broker_url))
    until = time.monotonic() + BUDGET_SECONDS - PUBLISH_SECONDS  # so that the last one still has its time

    def give(producer: Producer) -> None:
        for at in range(turns):
            if at and time.monotonic() > until:
                logger.info("The broker is slow: %s turns were given instead of %s", at, turns)
                return
            send(producer, TURN_TASK, args=[], task_id=None if at else first_id, priority=number)

    try:
        with_producer(give)
    except BrokerAvoided:
        return False
    except BrokerAway as error:
        logger.warning("The broker did not take a turn: %s", error)
        return False
    return True
