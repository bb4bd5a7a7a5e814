"""Cached lists against the same lists computed, in turn; and fifty who ask at once for what has just changed."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from functools import partial

from bench import clients, crowds
from bench.clients import Client
from bench.measure import Series
from bench.product import BenchmarkError, Probe
from bench.report import Result, at_most, seconds
from bench.run import Run

_PROGRAM = "bench.cache_probe"
_FILES, _ACCOUNTS, _REQUESTS = 100_000, 500, 200
_AT_ONCE = 50
_LISTS = {
    "accounts": "../collection/accounts",
    "figures of accounts": "../accounts/stats",
    "component versions": "../component-versions",
    "platforms": "platforms",
    "governance": "governance/stats",
}
_KIND = "governance_stats"
_COUNTED_SECONDS = 1.5
"""After so long every web process has told what it counted, once it is asked again."""


def run(run: Run) -> Iterator[Result]:
    """One installation with its web process; each request is a connection of its own."""
    installation = run.installation("cache", broker=True)
    files = run.scaled(_FILES)
    with Probe(installation, program=_PROGRAM) as probe:
        run.say(f"cache: storing {files:,} files")
        owner, token = probe.ask("sign_in")
        probe.ask("fill_accounts", _ACCOUNTS)
        crowds.fill_lists(installation.database, files=files, tasks=1, owner=owner)
        with installation.web() as web:
            client = Client(web.address, token)
            for name, path in _LISTS.items():
                run.say(f"cache: {name}, {_REQUESTS} times kept and computed, in turn")
                yield _against_computed(probe, client, name, path)
            yield _at_once(probe, client)


def _against_computed(probe: Probe, client: Client, name: str, path: str) -> Result:
    kept, computed = Series(), Series()
    _get(client, path)
    for _ in range(_REQUESTS):
        probe.ask("clear_cache")
        computed.add(_get(client, path))
        kept.add(_get(client, path))
    return at_most(
        f"cached list: {name}",
        value=kept.median * 1000,
        limit=5,
        unit="ms",
        product=f"99 % within {seconds(kept.quantile(0.99))}",
        against=f"computed {seconds(computed.median)}",
    )


def _at_once(probe: Probe, client: Client) -> Result:
    """How many computations fifty requests cost that come in the instant after a change."""
    path = _LISTS["governance"]
    before = _computed(probe, client, path)
    probe.ask("clear_cache")
    took = Series(clients.at_once([partial(_get, client, path)] * _AT_ONCE))
    computations = _computed(probe, client, path) - before
    return at_most(
        f"{_AT_ONCE} at once after a change",
        value=computations,
        limit=1,
        unit="computations",
        product=f"slowest {seconds(max(took.seconds))}",
    )


def _computed(probe: Probe, client: Client, path: str) -> int:
    time.sleep(_COUNTED_SECONDS)
    clients.at_once([partial(_get, client, path)] * _AT_ONCE)  # every process tells what it counted
    return int(probe.ask("computed", _KIND))


def _get(client: Client, path: str) -> float:
    answer = client.get(path)
    if answer.status != http.HTTPStatus.OK:
        raise BenchmarkError(f"{path} was answered with {answer.status}: {answer.body}")
    return answer.seconds
