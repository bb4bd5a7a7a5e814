"""Answers that many callers ask for at once and that may be a moment old: one of them asks, all are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

R = TypeVar("R")


class Remembered(Generic[R]):
    """What a function without arguments returned, for so many seconds in this process; use it as a decorator.

    What it raises is not remembered.
    """

    def __init__(self, ask: Callable[[], R], *, seconds: float) -> None:
        self._ask, self.seconds = ask, seconds
        self._lock = threading.Lock()
        self._answer: tuple[float, R] | None = None

    def __call__(self) -> R:
        """The answer, asked for where the last one is too old; who comes meanwhile waits for it."""
        with self._lock:
            if self._answer is None or time.monotonic() - self._answer[0] >= self.seconds:
                self._answer = (time.monotonic(), self._ask())
            return self._answer[1]


def remembered(*, seconds: float) -> Callable[[Callable[[], R]], Remembered[R]]:
    """Remember what the decorated function returns."""
    return lambda ask: Remembered(ask, seconds=seconds)
