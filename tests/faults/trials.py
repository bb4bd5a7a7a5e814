"""How often a fault is tried, where, and how long it took to get over it."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

_all: list[Trials] = []


@dataclass
class Trials:
    """The trials of one promise: ``quick`` of them with all tests, ``FAULT_TRIALS`` in the long run.

    ``cost`` says how many usual trials one of these costs, and the long run has so many fewer, or more where it is a
    part of one. Iterating tries; a trial counts once its body has come to its end, which is after the ledger was
    checked. No trial beyond the quick ones begins after ``minutes``, so that the long run ends on a slow machine too.
    """

    promise: str
    what: str
    quick: int = 1
    cost: float = 1
    minutes: float = 1
    kill_point: bool = False  # whether each is the death of a process, by SIGKILL, with work in hand
    tried: int = 0
    lost: int = 0
    doubled: int = 0
    failed: int = 0
    recovery: list[float] = field(default_factory=list)  # seconds
    seed: int = field(
        default_factory=lambda: int(os.environ.get("FAULT_SEED") or random.SystemRandom().getrandbits(32))
    )

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        self._began = time.monotonic()
        wanted = os.environ.get("FAULT_TRIALS")
        self.wanted = max(1, int(int(wanted) / self.cost)) if wanted else self.quick
        _all.append(self)
        print(f"\n{self.promise} {self.what}: {self.wanted} trials, FAULT_SEED={self.seed}")

    def __iter__(self) -> Iterator[int]:
        while self.more:
            yield self.tried
            self.tried += 1

    @property
    def more(self) -> bool:
        """Whether another trial is to begin."""
        return self.more_after(self.tried)

    def more_after(self, begun: int) -> bool:
        """Whether another is to begin where so many have, counted or not."""
        in_time = time.monotonic() - self._began < self.minutes * 60
        return begun < self.wanted and (in_time or begun < self.quick)

    @property
    def p95(self) -> float:
        """How many seconds 19 of 20 recoveries took at most."""
        return p95_of(self.recovery)


def p95_of(seconds: list[float]) -> float:
    """The 95th percentile of at least one."""
    return quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]


def note_failure(test: str) -> bool:
    """A test failed, in the ledger or anywhere else: its trials say so; False where it had none."""
    of_test = [trials for trials in _all if trials.test == test]
    for trials in of_test:
        trials.failed = 1
    return bool(of_test)


_TOLD = ("promise", "what", "wanted", "kill_point", "tried", "lost", "doubled", "failed", "recovery", "seed")


def write_trials(path: Path, *, skipped: list[str], failed: list[str]) -> None:
    """What a session tried, for the report of the whole run; and the tests that were skipped, or failed untold."""
    told = [{name: getattr(trials, name) for name in _TOLD} for trials in _all]
    path.write_text(json.dumps({"trials": told, "skipped": skipped, "failed": failed}), encoding="utf-8")
