"""What the product needs, asked one by one, each for at most a second.

A probe runs in a thread of its own, and whoever asks meanwhile, or shortly after, gets the answer of the same attempt:
many orchestrators asking at once cost no more than one. An attempt that hangs is reported as such and is left alone
until it ends by itself, so a frozen service cannot fill the process with threads.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from celery import current_app
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.db import connection

from erp.health.heartbeat import newest_heartbeat_age

logger = logging.getLogger(__name__)

LIMIT_SECONDS = 0.9
"""Of all probes together; they run at the same time, and the answer must be out within a second."""
REUSED_SECONDS = 1.0
"""So long an answer is given again."""
HEARTBEAT_FRESH_SECONDS = 60.0
STALLED_SECONDS = 60.0
"""When files could have been taken for so long and nobody took any nor has one in hand, nobody is at work."""


class ProbeFailed(Exception):
    """Something answers, but not as it should; the text is shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one probe. A blank ``error`` is a success; the text tells no internals."""

    seconds: float
    error: str = ""


@dataclass(eq=False)
class Probe:
    """One thing to ask. Without an essential one no request can be served; whether it is one is for the settings."""

    name: str
    ask: Callable[[], None]
    is_essential: Callable[[], bool] = lambda: False
    _newest: Attempt | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def attempt(self) -> Attempt:
        """The attempt that is under way or has just ended; else a new one."""
        with self._lock:
            if self._newest is None or self._newest.is_old():
                self._newest = Attempt(self)
            return self._newest


class Attempt:
    """One run of a probe in its thread, begun by making it."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.began = time.perf_counter()
        self.outcome: Outcome | None = None
        self.thread = threading.Thread(target=self._run, name=f"probe-{probe.name}", daemon=True)
        self.thread.start()

    def is_old(self) -> bool:
        """Whether it ended too long ago for its outcome to be given again."""
        return self.outcome is not None and time.perf_counter() - self.began - self.outcome.seconds > REUSED_SECONDS

    def _run(self) -> None:
        error = ""
        try:
            self.probe.ask()
        except ProbeFailed as failure:
            error = str(failure)
        except Exception:  # whatever a service answers, the probe reports; the log has the details
            logger.warning("probe %s failed", self.probe.name, exc_info=True)
            error = "failed"
        finally:
            connection.close()
            self.outcome = Outcome(seconds=time.perf_counter() - self.began, error=error)

    def wait(self, limit: float) -> Outcome:
        """Its outcome, or that it has taken longer than ``limit`` seconds since it began."""
        self.thread.join(max(0.0, self.began + limit - time.perf_counter()))
        return self.outcome or Outcome(seconds=time.perf_counter() - self.began, error="timeout")


def run_all(probes: Sequence[Probe], *, limit: float = LIMIT_SECONDS) -> dict[str, Outcome]:
    """Ask all at the same time and wait ``limit`` seconds at most."""
    attempts = [probe.attempt() for probe in probes]
    return {attempt.probe.name: attempt.wait(limit) for attempt in attempts}


def ask_database() -> None:
    """A connection of its own answers a query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def ask_broker() -> None:
    """A connection to the broker can be made."""
    with current_app.connection_for_write(connect_timeout=LIMIT_SECONDS) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=1)


def ask_cache() -> None:
    """What is written to the cache can be read back."""
    key, value = f"health:{uuid.uuid4().hex}", "1"
    cache.set(key, value, timeout=5)
    if cache.get(key) != value:
        raise ProbeFailed("lost")
    cache.delete(key)


def ask_storage() -> None:
    """A file can be written where uploads go. Its name stays the same, so that those left behind are not many."""
    storage = storages["uploads"]
    storage.delete(storage.save(".health", ContentFile(b"1")))


def uploads_lie_in_a_folder() -> bool:
    """Whether uploads are kept by this host itself, and not by a service that is away from all hosts at once."""
    return isinstance(storages["uploads"], FileSystemStorage)


def ask_worker() -> None:
    """Some worker was heard of lately, and takes what waits."""
    age = newest_heartbeat_age()
    if age is None:
        raise ProbeFailed("none")
    if age > HEARTBEAT_FRESH_SECONDS:
        raise ProbeFailed("silent")
    from datasync.runs.selectors import work_is_stalled  # noqa: PLC0415 - the rooms above need the probes' limits

    if work_is_stalled(seconds=STALLED_SECONDS):
        raise ProbeFailed("stalled")


PROBES: tuple[Probe, ...] = (
    Probe("database", ask_database, is_essential=lambda: True),
    Probe("storage", ask_storage, is_essential=uploads_lie_in_a_folder),
    Probe("broker", ask_broker),
    Probe("cache", ask_cache),
    Probe("worker", ask_worker),
)
"""Without broker, cache or worker what is asked for still waits in the database, so the web stays in service.

So it does without a bucket: it refuses uploads, as all hosts would, and taking them all out of service helps nobody.
"""
