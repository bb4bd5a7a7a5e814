"""Redis stopped, frozen or come back: everything is computed, soon, and nothing old is shown afterwards."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from erp.caching import breaker as breakers
from erp.caching import owed, store
from erp.caching.statistics import Outcome, statistics
from erp.caching.tags import renew
from tests.api import client_of, data_of, owner
from tests.cache_support import Counting, Keep, keep, own_redis
from tests.services import Server, wait_until

__all__ = ["keep", "own_redis", "owner"]
pytestmark = pytest.mark.services


@pytest.fixture(autouse=True)
def no_warning_before(own_redis: Server) -> Iterator[None]:
    store.breaker._silent_until = 0.0
    yield
    store.breaker._silent_until = 0.0


@pytest.fixture(params=["stopped", "frozen"])
def take_away(request: pytest.FixtureRequest, own_redis: Server) -> Callable[[], None]:
    """Stop Redis, or freeze it so that it takes connections and never answers."""

    def take() -> None:
        if request.param == "stopped":
            own_redis.process.kill()
            own_redis.process.wait()
        else:
            own_redis.process.send_signal(signal.SIGSTOP)

    return take


def seconds_of(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


@pytest.mark.parametrize("known", [True, False], ids=["connected before", "never connected"])
def test_everything_is_computed_and_only_the_first_waits(
    take_away: Callable[[], None], keep: Keep, known: bool
) -> None:
    computed = Counting()
    kept = keep(computed)
    if known:
        assert (kept(), kept()) == (1, 1)
    take_away()
    before = computed.times
    assert seconds_of(kept) <= 0.4
    assert seconds_of(lambda: [kept() for _ in range(100)]) < 0.4
    assert computed.times == before + 101
    assert statistics._own[f"{kept.kind}:{Outcome.ERROR}"] == 101


def test_a_change_costs_little_and_is_told_when_the_cache_is_back(
    own_redis: Server, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breakers, "OPEN_SECONDS", 0.2)
    kept = keep(Counting(), tags=("a",))
    assert (kept(), kept()) == (1, 1)
    own_redis.process.send_signal(signal.SIGSTOP)
    assert seconds_of(lambda: renew({"a"})) <= 0.4
    own_redis.process.send_signal(signal.SIGCONT)
    time.sleep(0.25)
    assert (kept(), kept()) == (2, 2)  # what was there before the change is outdated


def test_a_process_at_rest_tells_of_its_change_too(
    own_redis: Server, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breakers, "OPEN_SECONDS", 0.2)
    monkeypatch.setattr(owed, "OPEN_SECONDS", 0.2)
    keep(Counting(), tags=("a",))()
    before = store.read(["tag:a"])
    own_redis.process.send_signal(signal.SIGSTOP)
    renew({"a"})
    own_redis.process.send_signal(signal.SIGCONT)

    def told() -> bool:
        try:
            return store.read(["tag:a"]) != before
        except breakers.CacheAway:
            return False

    wait_until(told, seconds=10, what="the change that was missed")


def test_it_is_said_once_a_minute(
    take_away: Callable[[], None], keep: Keep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(breakers, "OPEN_SECONDS", 0.0)
    kept = keep(Counting())
    take_away()
    with caplog.at_level(logging.WARNING, logger="erp.caching.breaker"):
        kept()
        kept()
    assert len(caplog.records) == 1


@pytest.mark.django_db(transaction=True)
def test_lists_are_answered_all_the_same(take_away: Callable[[], None], owner: User) -> None:
    client = client_of(owner)
    addresses = ("collection/accounts", "accounts/stats", "component-versions", "data-sync/platforms")
    before = [data_of(client.get(f"/api/{address}")) for address in addresses]
    take_away()
    store.breaker.close()
    assert [data_of(client.get(f"/api/{address}")) for address in addresses] == before


@pytest.mark.django_db
def test_the_status_says_so(take_away: Callable[[], None], admin_client: Any) -> None:
    take_away()
    told = data_of(admin_client.get("/api/cache/status"))
    assert (told["backend"], told["available"]) == ("redis", False)
