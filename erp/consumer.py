"""The consumer of the workers: Celery's, which outlives a broker that goes away while work is in hand."""

from __future__ import annotations

from contextlib import suppress

from celery.worker.consumer import Consumer as CeleryConsumer
from kombu.transport import redis


class Consumer(CeleryConsumer):
    """Closes the channel of a lost Redis before Celery lets go of the connection.

    Celery 5.7 closes a lost connection twice, and its transport is gone after the first time. The first close of a
    channel that waits for a message reads from the dead socket and gets no further; the second then wants to give back
    what is in hand, finds no transport, and the ``AttributeError`` ends the worker with all that it does.
    """

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Take the failing read upon us, so that Celery's first close is a whole one."""
        consumer, connection = getattr(self, "task_consumer", None), self.connection
        if connection and consumer and isinstance(consumer.channel, redis.Channel):
            with suppress(Exception):  # whatever a channel says that is lost anyway must not end the worker
                consumer.channel.close()
        super().on_connection_error_after_connected(exc)
