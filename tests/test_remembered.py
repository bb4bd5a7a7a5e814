"""Many callers, one question."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from erp.remembered import remembered


def test_callers_at_once_are_told_one_answer_that_grows_old() -> None:
    asked: list[float] = []
    together = threading.Barrier(8)

    @remembered(seconds=0.3)
    def answer() -> int:
        asked.append(time.monotonic())
        time.sleep(0.05)
        return len(asked)

    def call(_number: int) -> int:
        together.wait(timeout=10)
        return answer()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(call, range(8))) == {1}
    time.sleep(0.35)
    assert answer() == 2


def test_an_error_is_not_remembered() -> None:
    asked: list[int] = []

    @remembered(seconds=60)
    def answer() -> int:
        asked.append(1)
        if len(asked) == 1:
            raise OSError
        return 5

    with pytest.raises(OSError):  # noqa: PT011 - it has no words
        answer()
    assert answer() == 5
