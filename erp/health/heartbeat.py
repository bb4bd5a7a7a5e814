"""The heartbeat of the workers, kept in the database because that is there with every broker.

The worker's own event loop sets the pace, and only while it is connected to the broker: a loop that hangs falls silent.
The row is written in a thread that ends with it, so that a slow database never stops the loop.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any

from celery import bootsteps
from django.db import DatabaseError, connection
from django.utils import timezone

from erp.silence import limited

logger = logging.getLogger(__name__)

BEAT_SECONDS = 10.0
FORGOTTEN_AFTER = timedelta(days=1)


class HeartbeatStep(bootsteps.StartStopStep):
    """Part of a worker's consumer that lets the product hear of it."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.timer: Any = None
        self.writing: threading.Thread | None = None

    def start(self, parent: Any) -> None:
        """Beat now, and from now on."""
        self.beat(parent.hostname)
        self.timer = parent.timer.call_repeatedly(BEAT_SECONDS, self.beat, (parent.hostname,))

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Fall silent."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def beat(self, worker: str) -> None:
        """Write one beat, unless the last one is still being written."""
        if self.writing is None or not self.writing.is_alive():
            self.writing = threading.Thread(target=_write, args=(worker,), name="heartbeat", daemon=True)
            self.writing.start()


def record_heartbeat(worker: str) -> None:
    """Note that ``worker`` is there, and forget those not heard of for long."""
    from erp.models import WorkerHeartbeat  # noqa: PLC0415 - the Celery app is made before the models are

    now = timezone.now()
    WorkerHeartbeat.objects.update_or_create(worker=worker[:200], defaults={"seen_at": now})
    WorkerHeartbeat.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()


def newest_heartbeat_age() -> float | None:
    """Seconds since any worker was heard of; None if none ever was."""
    from erp.models import WorkerHeartbeat  # noqa: PLC0415 - the Celery app is made before the models are

    seen_at = WorkerHeartbeat.objects.values_list("seen_at", flat=True).first()
    return None if seen_at is None else (timezone.now() - seen_at).total_seconds()


def _write(worker: str) -> None:
    try:
        with limited(BEAT_SECONDS):
            record_heartbeat(worker)
    except DatabaseError as error:
        logger.warning("the heartbeat could not be written: %s", error)
    finally:
        connection.close()
