"""Asking the broker in ``BUDGET_SECONDS`` at most, whatever state it is in.

Connections for publishing are apart from the worker's own, with short time-outs. After a failure nobody of this process
tries again for some seconds, so that a broker that is away costs one request its time, not each.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from amqp.exceptions import ChannelError
from celery import current_app
from kombu import Connection, Producer, pools
from kombu.exceptions import KombuError, LimitExceeded

from erp.broker import PUBLISH_RETRY, publishing_options
from erp.connections import PUBLISH_SECONDS
from erp.waits import give_up, was_given_up

logger = logging.getLogger(__name__)
R = TypeVar("R")


class BrokerAway(Exception):
    """The broker did not take a message; it may have arrived all the same."""


class BrokerAvoided(BrokerAway):
    """The broker was away a moment ago; it is not asked again yet."""


class _Breaker:
    """Open after a failure, for a while; then one caller may try, and the others wait for what comes of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed_from = 0.0

    def enter(self) -> None:
        """Raise ``BrokerAvoided`` while it is open; else be the one who tries, where it was."""
        with self._lock:
            now = time.monotonic()
            if now < self._closed_from:
                raise BrokerAvoided(BrokerAvoided.__doc__)
            if self._closed_from:
                self._closed_from = now + OPEN_SECONDS

    def failed(self) -> None:
        """Open it."""
        with self._lock:
            self._closed_from = time.monotonic() + OPEN_SECONDS

    def succeeded(self) -> None:
        """Close it."""
        with self._lock:
            self._closed_from = 0.0


BUDGET_SECONDS = 0.6
"""For whom a person waits: connecting, the retry and all messages together. A promise of one second has to bear it."""
OPEN_SECONDS = 5.0
_NOT_FOUND = "404"
breaker = _Breaker()


def with_producer(act: Callable[[Producer], R]) -> R:
    """What ``act`` comes to, given a producer; all failures of the broker come within the budget, as ``BrokerAway``.

    It acts in a thread of its own: each of a library's many steps has its time-out, but nothing limits their sum, nor
    the look-up of a name. What is late ends by itself, and may still reach the broker.
    """
    broker = str(current_app.conf.broker_url)
    if was_given_up(broker):
        raise BrokerAvoided(BrokerAvoided.__doc__)
    breaker.enter()
    connection = current_app.connection_for_write(
        connect_timeout=PUBLISH_SECONDS, transport_options=publishing_options(current_app.conf.broker_url)
    )
    answer: Future[R] = Future()
    threading.Thread(target=_act, args=(act, connection, answer), name="publisher", daemon=True).start()
    try:
        result = answer.result(timeout=BUDGET_SECONDS)
    except LimitExceeded as error:  # our own pool's, which says nothing of the broker
        raise BrokerAway("all connections to the broker are in use") from error
    except _failures(connection) as error:
        breaker.failed()
        give_up(broker)
        raise BrokerAway(str(error) or f"no answer within {BUDGET_SECONDS} s") from error
    breaker.succeeded()
    return result


def _act(act: Callable[[Producer], R], connection: Connection, answer: Future[R]) -> None:
    try:
        with pools.producers[connection].acquire(block=True, timeout=PUBLISH_SECONDS) as producer:
            result = act(producer)
        answer.set_result(result)  # once the producer is free again, for who asks next
    except BaseException as error:  # whatever it is, it is for who waits
        answer.set_exception(error)


def ring_for(name: str, *keys: int | str | None) -> bool:
    """Publish one message for a task that finds its work in the database; False when the broker did not take it."""
    try:
        with_producer(lambda producer: send(producer, name, args=keys))
    except BrokerAway as error:
        logger.warning("The broker did not take a message for %s: %s", name, error)
        return False
    return True


def messages_waiting(queue: str) -> int:
    """How many messages wait in the queue, of whatever priority; raises ``BrokerAway``.

    On Redis an empty queue is none at all.
    """

    def count(producer: Producer) -> int:
        channel: Any = producer.channel
        try:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except ChannelError as error:
            if str(error.reply_code) != _NOT_FOUND:
                raise
            return 0

    return with_producer(count)


def send(producer: Producer, name: str, *, args: Sequence[Any], **options: Any) -> None:
    """Publish one message with the bounded retry."""
    current_app.send_task(
        name, args=list(args), producer=producer, ignore_result=True, retry=True, retry_policy=PUBLISH_RETRY, **options
    )


def _failures(connection: Connection) -> tuple[type[BaseException], ...]:
    """What publishing raises when the broker, not we, is at fault."""
    return (KombuError, OSError, *connection.connection_errors, *connection.channel_errors)
