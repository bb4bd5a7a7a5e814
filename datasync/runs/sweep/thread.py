"""Every working process sweeps besides, so that nothing waits for a clock that may not run."""

from __future__ import annotations

import logging
import random
import threading
import time

from django.core.cache import cache
from django.db import connections

from datasync.runs.sweep.services import sweep

logger = logging.getLogger(__name__)
EVERY_SECONDS = 10.0
_TURN = "erp:sweep"


def start_sweeping() -> None:
    """Sweep now and from now on, in a thread that ends with the process."""
    threading.Thread(target=_run, name="sweeper", daemon=True).start()


def _run() -> None:
    while True:
        if _my_turn():
            _sweep()
        time.sleep(EVERY_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - spreads the processes, hides nothing


def _my_turn() -> bool:
    """Whether no other process has swept just now; without a cache that all share, each sweeps."""
    try:
        return cache.add(_TURN, 1, timeout=EVERY_SECONDS * 0.7)
    except Exception as error:  # whatever a cache that is away raises: a sweep too many does no harm
        logger.info("The cache does not say who sweeps: %s", error)
        return True


def _sweep() -> None:
    try:
        swept = sweep()
        if swept.anything:
            logger.info("%s", swept)
    except Exception:  # the boundary of the thread: the next sweep may go better
        logger.exception("The sweep failed")
    finally:
        connections.close_all()
