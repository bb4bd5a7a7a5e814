"""A reader that left early, such as ``head``, ends a command quietly."""

from __future__ import annotations

import os
import select
import sys
from typing import NoReturn

PIPE_CLOSED = 141
"""What a shell shows for a program that the system ends because nobody reads it: 128 and the signal's number."""


def nobody_reads() -> bool:
    """Whether standard output or standard error is a pipe whose other end is closed."""
    poll = select.poll()
    for stream in (sys.stdout, sys.stderr):
        poll.register(stream.fileno(), 0)  # errors are told whatever is asked for
    return bool(poll.poll(0))


def leave_quietly() -> NoReturn:
    """End the process; what is still to be written goes nowhere, so that leaving does not fail once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    sys.exit(PIPE_CLOSED)
