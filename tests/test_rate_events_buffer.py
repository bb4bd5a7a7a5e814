"""What waits in the process to be written: added up, bounded, harmless."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from ratelimits.events import buffer as room
from ratelimits.events.buffer import Buffer, Noted
from ratelimits.events.models import OTHERS
from ratelimits.events.refusals import harmless, person_of
from ratelimits.limits.choices import Scope
from tests.rate_events import FILES, HOSTILE, refusal


class Clock:
    """A steady clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def buffer(clock: Clock) -> Buffer:
    return Buffer(clock=clock)


def kinds(taken: list[Noted]) -> Counter[tuple[str, str]]:
    """How often by key and path."""
    found: Counter[tuple[str, str]] = Counter()
    for one in taken:
        found[one.refusal.key, one.refusal.path] += one.times
    return found


def test_the_same_is_added_up_and_the_last_one_is_told(buffer: Buffer, clock: Clock) -> None:
    buffer.note(refusal(agent="first"))
    clock.now += 5
    buffer.note(refusal(agent="last", method="POST"))
    buffer.note(refusal(scope="data_sync"))
    first, other = buffer.take()
    assert (first.times, first.at, first.refusal.agent, first.refusal.method) == (2, clock.now, "last", "POST")
    assert (other.times, other.refusal.scope) == (1, "data_sync")
    assert buffer.take() == []


def test_paths_of_one_caller_beyond_the_bound_are_counted_together(
    buffer: Buffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_PATHS", 3)
    for number in range(10):
        buffer.note(refusal("user:1", f"/api/{number}"))
    buffer.note(refusal("user:2", "/api/9"))
    found = kinds(buffer.take())
    assert found == {
        ("user:1", "/api/0"): 1, ("user:1", "/api/1"): 1, ("user:1", "/api/2"): 1, ("user:1", OTHERS): 7,
        ("user:2", "/api/9"): 1,
    }  # fmt: skip


def test_callers_beyond_the_bound_are_counted_together(buffer: Buffer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_KINDS", 3)
    for number in range(10):
        buffer.note(refusal(f"user:{number}"))
    taken = buffer.take()
    assert len(taken) == 4
    assert kinds(taken)[OTHERS, OTHERS] == 7


def test_addresses_never_hide_a_person(buffer: Buffer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_KINDS", 3)
    for number in range(10):
        buffer.note(refusal(f"ip:2001:db8:{number}::/64"))
    buffer.note(refusal("user:1"))
    buffer.put_back(buffer.take())
    buffer.note(refusal("user:1"))
    assert kinds(buffer.take())["user:1", FILES] == 2


def test_the_bounds_hold_for_a_minute_and_not_from_one_flush_to_the_next(
    buffer: Buffer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_PATHS", 1)
    buffer.note(refusal(path="/api/1"))
    buffer.take()
    buffer.note(refusal(path="/api/2"))
    assert [one.refusal.path for one in buffer.take()] == [OTHERS]
    clock.now += room.MINUTE_SECONDS
    buffer.note(refusal(path="/api/2"))
    assert [one.refusal.path for one in buffer.take()] == ["/api/2"]


def test_the_networks_of_one_household_do_not_fill_it(buffer: Buffer) -> None:
    for network in range(256):
        for scope in Scope:
            for path in range(room.MOST_PATHS + 1):
                buffer.note(refusal(f"ip:2001:db8:1:{network:x}::/64", f"/api/{path}", scope=scope.value))
    buffer.note(refusal("ip:203.0.113.9"))
    assert kinds(buffer.take())["ip:203.0.113.9", FILES] == 1


def test_what_could_not_be_written_waits_on_within_the_bounds(
    buffer: Buffer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_KINDS", 5)
    for number in range(100):
        clock.now += room.MINUTE_SECONDS
        buffer.note(refusal(f"user:{number}"))
        buffer.put_back(buffer.take())
    taken = buffer.take()
    assert len(taken) == 6
    assert sum(one.times for one in taken) == 100


def test_what_was_put_back_adds_to_what_came_meanwhile(buffer: Buffer, clock: Clock) -> None:
    buffer.note(refusal(agent="before"))
    taken = buffer.take()
    clock.now += 1
    buffer.note(refusal(agent="after"))
    buffer.put_back(taken)
    (one,) = buffer.take()
    assert (one.times, one.refusal.agent, one.at) == (2, "after", clock.now)


def test_threads_lose_nothing(buffer: Buffer) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: buffer.note(refusal(f"user:{number % 5}")), range(1000)))
    assert sorted(kinds(buffer.take()).values()) == [200] * 5


def test_texts_are_made_harmless() -> None:
    shown = harmless(HOSTILE, most=200)
    assert shown.isprintable()
    assert shown == "/api/x\ufffd\ufffdSet-Cookie: a=b\ufffd\ufffd<script>alert(1)</script>"
    assert harmless("\ud800", most=5).encode() == "\ufffd".encode()


def test_texts_are_cut_and_say_so() -> None:
    assert harmless("a" * 10, most=10) == "a" * 10
    assert harmless("a" * 11, most=10) == "a" * 9 + "…"


@pytest.mark.parametrize(
    ("key", "person"),
    [
        ("user:7", 7),
        ("ip:10.0.0.1", None),
        ("ip:2001:db8::/64", None),
        ("user:", None),
        ("user:٣", None),
        ("*", None),
    ],
)
def test_the_person_of_a_key(key: str, person: int | None) -> None:
    assert person_of(key) == person
