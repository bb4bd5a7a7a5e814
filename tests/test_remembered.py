"""Many callers, one question."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from erp import remembered as room
from erp.remembered import remembered


def test_callers_at_once_are_told_one_answer() -> None:
    asked: list[int] = []
    together = threading.Barrier(8)

    @remembered(seconds=60)
    def answer() -> int:
        asked.append(1)
        return len(asked)

    def call(_number: int) -> int:
        together.wait(timeout=10)
        return answer()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(call, range(8))) == {1}


def test_while_one_asks_anew_the_others_are_told_the_old_answer() -> None:
    asking, told = threading.Event(), threading.Event()
    answers = iter(("old", "new"))

    @remembered(seconds=0)
    def answer() -> str:
        said = next(answers)
        if said == "new":
            asking.set()
            assert told.wait(timeout=10)
        return said

    assert answer() == "old"
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(answer)
        assert asking.wait(timeout=10)
        assert answer() == "old"
        told.set()
        assert first.result(timeout=10) == "new"


def test_who_has_no_answer_waits_a_while_and_then_asks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PATIENCE_SECONDS", 0.05)
    asking, over = threading.Event(), threading.Event()

    @remembered(seconds=60)
    def answer() -> str:
        if threading.current_thread() is not threading.main_thread():
            asking.set()
            assert over.wait(timeout=10)
            return "after a silence"
        return "at once"

    with ThreadPoolExecutor(1) as thread:
        silent = thread.submit(answer)
        assert asking.wait(timeout=10)
        assert answer() == "at once"
        over.set()
        assert silent.result(timeout=10) == "after a silence"


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
