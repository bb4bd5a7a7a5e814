"""Logs in the memory of one process: what limits while no shared store answers, at the same rate for each process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from ratelimits.windows.base import Claim, Taken, Window
from ratelimits.windows.log import Moments, moments, settle, within

_SWEPT_EVERY = 60.0


class ProcessWindow(Window):
    """Always answers. Keys that nobody uses any more are forgotten within two minutes."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._logs: dict[str, Moments] = {}
        self._ends: dict[str, float] = {}
        self._swept_at = 0.0

    def ask(self, claims: Sequence[Claim], *, count: bool) -> list[Taken]:
        """Answer under one lock."""
        with self._lock:
            now = self._clock()
            self._sweep(now)
            logs = [within(self._logs.get(one.key, moments()), now=now, seconds=one.seconds) for one in claims]
            answers = settle(logs, claims, now=now, count=count)
            for log, claim in zip(logs, claims, strict=True):
                self._logs[claim.key] = log
                self._ends[claim.key] = now + claim.seconds
            return answers

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._logs.clear()
            self._ends.clear()

    def _sweep(self, now: float) -> None:
        if abs(now - self._swept_at) < _SWEPT_EVERY:
            return
        self._swept_at = now
        for key in [key for key, end in self._ends.items() if end <= now]:
            del self._logs[key], self._ends[key]
