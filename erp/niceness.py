"""Where a process runs on a machine that it shares: behind other programs, on a core of its own.

Where Linux groups processes by session (``man 7 sched``, "The autogroup feature"), a process is nice to its own session
only, and sessions share the processors equally, however nice the processes in them are; ``manage.py serve`` and init
systems give each program a session. So a session that is the program's own steps back as a whole.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

logger = logging.getLogger(__name__)
_GROUP = Path("/proc/self/autogroup")
_TRIES, _PAUSE_SECONDS = 10, 0.1
"""The kernel takes one such wish in 0.1 s, whoever has it."""


def step_back(nice: int) -> None:
    """Take the processors only so far as others leave them: ``nice`` from 0, as all others, to 19.

    What runs below the process from then on steps back too, and of its session all, where it or the process that it
    was forked from leads it. Nothing that steps back further already is moved forward. What the system refuses is
    logged.
    """
    try:
        os.nice(max(0, nice - os.nice(0)))
        if _session_is_its_own():
            _step_back_as_a_group(nice)
    except (OSError, ValueError) as error:
        logger.warning("This process does not step back behind others: %s", error)


def stay_on_core(place: int) -> None:
    """Run on one core alone, with all that the process starts from now on: the one in this place of those it may use.

    There may be fewer cores than places; then several share one.
    """
    try:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[place % len(cores)]})
    except (AttributeError, OSError) as error:  # not every system has it
        logger.warning("This process does not stay on a core: %s", error)


def _session_is_its_own() -> bool:
    """Whether this program leads its session: itself, or as the process that it was forked from, unchanged since.

    A shell, a supervisor, or whoever is outside of a container is another program.
    """
    leader = os.getsid(0)
    if leader == os.getpid():
        return True
    return leader == os.getppid() and _command(str(leader)) == _command("self")


def _command(process: str) -> bytes | None:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except FileNotFoundError:  # it has ended, or is outside of this container
        return None


def _step_back_as_a_group(nice: int) -> None:
    for _ in range(_TRIES):
        try:
            told = _GROUP.read_text()
            if not told or int(told.split()[-1]) >= nice:  # it is in no group, or has done so already
                return
            _GROUP.write_text(str(nice))
        except FileNotFoundError:  # this system groups nothing by session
            return
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
        else:
            return
    logger.warning("The session does not step back behind others: others wished so %s times", _TRIES)
