"""The process that works: its name, and how it starts."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from typing import Any

from celery.signals import worker_process_init
from django.conf import settings

_lock = threading.Lock()
_names: dict[int, str] = {}


def worker_name() -> str:
    """Host, process id and a random part: unique for each start of a process, whatever ids the system reuses."""
    process = os.getpid()
    with _lock:
        if process not in _names:
            _names.clear()
            _names[process] = f"{socket.gethostname()[:100]}:{process}:{uuid.uuid4().hex[:8]}"
        return _names[process]


@worker_process_init.connect
def prepare_process(**_kwargs: Any) -> None:
    """Step back behind the web process on a shared machine, and start to sweep.

    Inherited database connections Celery drops itself.
    """
    os.nice(max(0, settings.WORKER_NICE - os.nice(0)))
    _start_sweeping()


def prepare_web_process() -> None:
    """Let a web process work where the broker cannot be reached, and look whether there is such work."""
    from datasync.runs.local import pool  # noqa: PLC0415 - as below

    pool.open = True
    _start_sweeping()


def _start_sweeping() -> None:
    from datasync.runs.sweep.thread import start_sweeping  # noqa: PLC0415 - the rooms above need this one's names

    start_sweeping()
