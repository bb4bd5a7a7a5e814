"""Giving turns: a message says that there is work, nothing more."""

from __future__ import annotations

import logging
import threading

from celery import current_app

from erp.broker import broker_priority, is_redis
from erp.publishing import BrokerAvoided, BrokerAway, send, short_producer

logger = logging.getLogger(__name__)
TURN_TASK = "data_sync.take_turn"
USUAL_PRIORITY = 5


def give_turns(*, turns: int = 1, first_id: str | None = None, priority: int = USUAL_PRIORITY) -> bool:
    """Send so many messages; False as soon as the broker does not take one.

    ``first_id`` becomes the id of the first; ``priority`` is one of ours, 10 first. A message of which False was said
    may have arrived all the same: claims make one too many harmless.
    """
    number = broker_priority(priority, redis=is_redis(current_app.conf.broker_url))
    try:
        with short_producer() as producer:
            for at in range(turns):
                send(producer, TURN_TASK, args=[], task_id=None if at else first_id, priority=number)
    except BrokerAvoided:
        return False
    except BrokerAway as error:
        logger.warning("The broker did not take a turn: %s", error)
        return False
    return True


def give_turn_later(seconds: float) -> None:
    """Give a turn when a file that was put back is due; if this process ends before, the sweeper does."""
    timer = threading.Timer(seconds, give_turns)
    timer.daemon = True
    timer.start()
