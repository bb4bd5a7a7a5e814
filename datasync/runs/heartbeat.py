"""Signs of life of the files in hand: live counters every second, a longer lease every ten at the latest.

One daemon thread for each process, with a database connection of its own, so that neither parsing nor a long load
can starve it. A file that is finished within the first beat costs nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.db.models.functions import Now

from datasync.choices import FileState, ItemState
from datasync.exceptions import Cancelled, FencedOut
from datasync.ingest.plan import Counts
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile
from datasync.runs.claim import Claim
from datasync.runs.finish import row_fields
from datasync.runs.worker import must_stop
from erp.silence import Limit, limited

logger = logging.getLogger(__name__)
BEAT_SECONDS = 1.0
EXTEND_SECONDS = 10.0
_BRIEF = {"sqlite": "PRAGMA busy_timeout = 100", "postgresql": "SET lock_timeout = 100"}
"""Milliseconds that a beat waits for a lock."""


class Stopped(Exception):
    """The process ends before the file is done."""


@dataclass(slots=True)
class Watch:
    """One file in hand, as the beating thread sees it."""

    claim: Claim
    started: float = field(default_factory=time.monotonic)
    extended: float = field(default_factory=time.monotonic)
    counters: dict[str, int] = field(default_factory=dict)
    shown: bool = False
    lost: bool = False
    cancelled: bool = False
    stopped: bool = False
    interrupts: list[Callable[[], None]] = field(default_factory=list)
    patience: Limit | None = None
    _interrupting: threading.Lock = field(default_factory=threading.Lock)

    def on_stop(self, interrupt: Callable[[], None]) -> None:
        """What else ends the work when the task is cancelled or the process ends.

        The beating thread calls it at each beat from then on, but never once the file is out of hand: it may reach
        further than this file, such as to the thread's reader, which reads the next one by then.
        """
        self.interrupts.append(interrupt)

    def interrupt(self) -> None:
        """Let go who works on the file, if somebody still does."""
        with self._interrupting:
            for interrupt in self.interrupts:
                interrupt()

    def leave(self) -> None:
        """The file is out of hand: nobody is interrupted from now on."""
        with self._interrupting:
            self.interrupts.clear()

    def check(self) -> None:
        """Raise why the work must end: ``Cancelled``, ``FencedOut`` once the lease is known to be lost, ``Stopped``."""
        if self.cancelled:
            raise Cancelled
        if self.lost:
            raise FencedOut
        if self.stopped:
            raise Stopped

    def report(self, counts: Counts) -> None:
        """Say how far the file is; counts only grow. Raises what ``check`` does."""
        self.check()
        before = self.counters
        self.counters = {name: max(number, before.get(name, 0)) for name, number in row_fields(counts).items()}


class Heartbeat:
    """The beating thread of this process."""

    def __init__(self) -> None:
        self._by_item: dict[int, Watch] = {}
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    @contextmanager
    def watch(self, claim: Claim) -> Iterator[Watch]:
        """Keep the lease of the claimed file alive while the block runs.

        What goes wrong in it after the task was cancelled is ``Cancelled``, and after the process was told to end
        ``Stopped``: it was interrupted. The connection of a file whose lease could not be extended in time is cut: it
        may be silent for good, and the file is not ours now.
        """
        watch = self._by_item[claim.item_id] = Watch(claim)
        try:
            with limited(settings.LEASE_SECONDS) as watch.patience:
                yield watch
        except (Cancelled, FencedOut, Stopped):
            raise
        except Exception as error:
            if watch.cancelled:
                raise Cancelled from error
            if watch.stopped:
                raise Stopped from error
            raise
        finally:
            watch.leave()
            del self._by_item[claim.item_id]

    def _run(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            try:
                self._round()
            except Exception:  # the boundary of the thread: without it no later file of the process keeps its lease
                logger.exception("The heartbeat stumbled")

    def _round(self) -> None:
        in_hand = tuple(self._by_item.values())
        for watch in in_hand:
            if time.monotonic() - watch.started >= BEAT_SECONDS:
                self._beat(watch)
        if not in_hand:
            connection.close()  # a process without work keeps none

    def _beat(self, watch: Watch) -> None:
        """One beat. A database that is busy or away costs the beat, never the file: the next one tries again."""
        try:
            with limited(settings.LEASE_SECONDS):
                _be_brief()
                beat(watch)
        except Error as error:
            logger.info("No heartbeat for item %s: %s", watch.claim.item_id, error)
            connection.close()
        except Exception:  # whatever it is, the other files in hand get their beats
            logger.exception("No heartbeat for item %s", watch.claim.item_id)
            connection.close()


def beat(watch: Watch) -> None:
    """Write the counters, and a longer lease when it is time, as long as the lease is ours."""
    changes: dict[str, Any] = dict(watch.counters)
    now = time.monotonic()
    extend = now - watch.extended >= min(EXTEND_SECONDS, settings.LEASE_SECONDS / 4)
    if extend:
        changes["lease_until"] = Now() + timedelta(seconds=settings.LEASE_SECONDS)
    claim = watch.claim
    watch.cancelled = SyncProgressTask.objects.filter(items=claim.item_id, cancel_requested_at__isnull=False).exists()
    watch.stopped = must_stop()
    if watch.cancelled or watch.stopped:
        _interrupt(watch)
    if changes:
        held = SyncTaskFile.objects.filter(pk=claim.item_id, lease_token=claim.token, state=ItemState.PROCESSING)
        if not held.update(**changes):
            watch.lost = True
            return
        if extend:
            watch.extended = now
            if watch.patience is not None:
                watch.patience.renew()
    if not watch.shown:
        CatalogFile.objects.filter(pk=claim.file_id, state=FileState.QUEUED).update(state=FileState.PROCESSING)
        watch.shown = True


def _interrupt(watch: Watch) -> None:
    """Let go who waits: for the reader, or for the database, such as for a lock that another file's load holds."""
    watch.interrupt()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = %s",
                [watch.claim.mark],
            )


def _be_brief() -> None:
    """A beat that waits would come too late to bring news: behind a load on SQLite, or a commit that takes its time."""
    if connection.connection is None:
        with connection.cursor() as cursor:
            cursor.execute(_BRIEF[connection.vendor])


_lock = threading.Lock()
_by_process: dict[int, Heartbeat] = {}


def heartbeat() -> Heartbeat:
    """The heartbeat of this process; a forked child gets one of its own, because threads do not survive a fork."""
    with _lock:
        if os.getpid() not in _by_process:
            _by_process.clear()
            _by_process[os.getpid()] = Heartbeat()
        return _by_process[os.getpid()]
