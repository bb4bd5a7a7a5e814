"""Whether this process was asked to stop, for work that would otherwise hold it up."""

from __future__ import annotations

import signal
import threading
from types import FrameType

stopping = threading.Event()
"""Set by SIGTERM once ``watch_for_stop`` was called."""


def watch_for_stop() -> None:
    """Set ``stopping`` on SIGTERM, then do what was done so far; for the main thread, when its signals are set up."""
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    if not callable(before):  # nobody ends this process gently, so there is nothing to make way for
        return

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()
        before(number, frame)

    signal.signal(signal.SIGTERM, stop)
