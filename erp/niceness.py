"""Stepping back behind other programs of the machine, as far as its scheduler lets a process.

Where Linux groups processes by session (``man 7 sched``, "The autogroup feature"), a process is nice to its own session
only, and sessions share the processors equally, however nice the processes in them are; ``manage.py serve`` and init
systems give each program a session. So a session that is the program's own steps back as a whole.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

logger = logging.getLogger(__name__)
_GROUP = Path("/proc/self/autogroup")


def step_back(nice: int) -> None:
    """Take the processors only so far as others leave them: ``nice`` from 0, as all others, to 19.

    What runs below the process from then on steps back too, and of its session all, where it or its parent leads it.
    Nothing that steps back further already is moved forward.
    """
    os.nice(max(0, nice - os.nice(0)))
    if os.getsid(0) in {os.getpid(), os.getppid()}:
        _step_back_as_a_group(nice)


def _step_back_as_a_group(nice: int) -> None:
    try:
        now = int(_GROUP.read_text().rpartition(" ")[2])
        if now < nice:
            _GROUP.write_text(str(nice))
    except FileNotFoundError:  # this system groups nothing by session
        return
    except (OSError, ValueError) as error:
        logger.warning("The worker's session does not step back: %s", error)
