"""Publishing to the broker in about a second at most, whatever state it is in.

Connections for publishing are apart from the worker's own, with short time-outs. After a failure nobody tries again
for some seconds, so that a broker that is away costs one request its second, not each.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from amqp.exceptions import ChannelError
from celery import current_app
from kombu import Connection, Producer, pools
from kombu.exceptions import KombuError

from erp.broker import PUBLISH_RETRY, publishing_options
from erp.connections import PUBLISH_SECONDS

logger = logging.getLogger(__name__)


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


OPEN_SECONDS = 5.0
_NOT_FOUND = "404"
breaker = _Breaker()


@contextmanager
def short_producer() -> Iterator[Producer]:
    """A producer whose failures come soon and are all ``BrokerAway``."""
    breaker.enter()
    connection = current_app.connection_for_write(
        connect_timeout=PUBLISH_SECONDS, transport_options=publishing_options(current_app.conf.broker_url)
    )
    try:
        with pools.producers[connection].acquire(block=True, timeout=1) as producer:
            yield producer
    except _failures(connection) as error:
        breaker.failed()
        raise BrokerAway(str(error)) from error
    breaker.succeeded()


def ring_for(name: str, *keys: int | str | None) -> bool:
    """Publish one message for a task that finds its work in the database; False when the broker did not take it."""
    try:
        with short_producer() as producer:
            send(producer, name, args=keys)
    except BrokerAway as error:
        logger.warning("The broker did not take a message for %s: %s", name, error)
        return False
    return True


def messages_waiting(queue: str) -> int:
    """How many messages wait in the queue, of whatever priority; raises ``BrokerAway``.

    On Redis an empty queue is none at all.
    """
    with short_producer() as producer:
        channel: Any = producer.channel
        try:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except ChannelError as error:
            if str(error.reply_code) != _NOT_FOUND:
                raise
            return 0


def send(producer: Producer, name: str, *, args: Sequence[Any], **options: Any) -> None:
    """Publish one message with the bounded retry."""
    current_app.send_task(
        name, args=list(args), producer=producer, ignore_result=True, retry=True, retry_policy=PUBLISH_RETRY, **options
    )


def _failures(connection: Connection) -> tuple[type[BaseException], ...]:
    """What publishing raises when the broker, not we, is at fault."""
    return (KombuError, OSError, *connection.connection_errors, *connection.channel_errors)
