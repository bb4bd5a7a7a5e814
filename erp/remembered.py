"""Answers that many callers ask for at once and that may be a moment old: one of them asks, all are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

R = TypeVar("R")
PATIENCE_SECONDS = 1.0
"""So long a caller who has no answer at all waits for the one who asks; then it asks for itself."""


class Remembered(Generic[R]):
    """What a function without arguments returned, for so many seconds in this process; use it as a decorator.

    One caller asks anew, the others are told the old answer meanwhile, however long that takes. What it raises is not
    remembered.
    """

    def __init__(self, ask: Callable[[], R], *, seconds: float) -> None:
        self._ask, self.seconds = ask, seconds
        self._asking = threading.Lock()
        self._told: tuple[float, R] | None = None

    def __call__(self) -> R:
        """The answer."""
        told = self._told
        if told is not None and self._is_fresh(told):
            return told[1]
        if not self._asking.acquire(timeout=PATIENCE_SECONDS if told is None else 0):
            return self._ask() if told is None else told[1]
        try:
            if (told := self._told) is None or not self._is_fresh(told):
                answer = self._ask()
                self._told = told = (time.monotonic(), answer)
            return told[1]
        finally:
            self._asking.release()

    def _is_fresh(self, told: tuple[float, R]) -> bool:
        return time.monotonic() - told[0] < self.seconds


def remembered(*, seconds: float) -> Callable[[Callable[[], R]], Remembered[R]]:
    """Remember what the decorated function returns."""
    return lambda ask: Remembered(ask, seconds=seconds)
