"""The process that works: its name, how it starts, and when it has to put down what it has in hand."""

from __future__ import annotations

import mmap
import os
import socket
import struct
import threading
import time
import uuid
from typing import Any

from billiard.process import current_process
from celery.signals import worker_process_init, worker_shutting_down
from django.conf import settings

from erp.niceness import stay_on_core, step_back
from erp.stopping import stopping

STOP_SECONDS = 5.0
"""So long files in hand may go on once their worker was told to stop; what stops it may kill it after ten."""
_TIME = struct.Struct("d")
_told = mmap.mmap(-1, _TIME.size)
"""When the worker was told to stop, by the machine's monotonic clock; shared with the processes forked from it."""
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
    """Step back behind the web process on a shared machine, stay on a core if told to, and start to sweep.

    Inherited database connections Celery drops itself.
    """
    step_back(settings.WORKER_NICE)
    if settings.WORKER_OWN_CORE and (place := getattr(current_process(), "index", None)) is not None:
        stay_on_core(place)
    _start_sweeping()


@worker_shutting_down.connect
def tell_pool(**_kwargs: Any) -> None:
    """Let the processes of the pool know; they get no signal of a stop in which they may finish what they do."""
    _told[:] = _TIME.pack(time.monotonic())


def must_stop() -> bool:
    """Whether the process is about to end, and what it has in hand is better put back than killed."""
    (told,) = _TIME.unpack(_told[:])
    return stopping.is_set() or (told > 0 and time.monotonic() - told >= STOP_SECONDS)


def prepare_web_process() -> None:
    """Let a web process work where the broker cannot be reached, and look whether there is such work."""
    from datasync.runs.local import pool  # noqa: PLC0415 - as below
    from datasync.runs.turns import take_local_turn  # noqa: PLC0415 - as below

    pool.open_for(take_local_turn)
    _start_sweeping()


def _start_sweeping() -> None:
    from datasync.runs.sweep.thread import start_sweeping  # noqa: PLC0415 - the rooms above need this one's names

    start_sweeping()
