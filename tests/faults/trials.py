"""How often a fault is tried, where, and how long it took to get over it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

_all: list[Trials] = []


@dataclass
class Trials:
    """The trials of one promise: ``quick`` of them with all tests, ``FAULT_TRIALS`` in the long run.

    ``cost`` says how many usual trials one of these costs, and the long run has so many fewer, or more where it is a
    part of one. Iterating tries. No trial beyond the quick ones begins after ``minutes``, so that the long run ends on
    a slow machine too.
    """

    promise: str
    what: str
    quick: int = 1
    cost: float = 1
    minutes: float = 1.5
    tried: int = 0
    lost: int = 0
    doubled: int = 0
    recovery: list[float] = field(default_factory=list)  # seconds
    seed: int = field(
        default_factory=lambda: int(os.environ.get("FAULT_SEED") or random.SystemRandom().getrandbits(32))
    )

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._began = time.monotonic()
        wanted = os.environ.get("FAULT_TRIALS")
        self.wanted = max(1, int(int(wanted) / self.cost)) if wanted else self.quick
        _all.append(self)
        print(f"\n{self.promise} {self.what}: {self.wanted} trials, FAULT_SEED={self.seed}")

    def __iter__(self) -> Iterator[int]:
        while self.more:
            self.tried += 1
            yield self.tried - 1

    @property
    def more(self) -> bool:
        """Whether another trial is to begin."""
        in_time = time.monotonic() - self._began < self.minutes * 60
        return self.tried < self.wanted and (in_time or self.tried < self.quick)


def write_report(path: Path) -> None:
    """The table of all promises that were tried in this session."""
    lease = os.environ.get("FAULT_LEASE_SECONDS", "5")
    tried = sorted(
        (trials for trials in _all if trials.tried), key=lambda trials: (int(trials.promise[1:]), trials.what)
    )
    lines = [
        "# What was broken, and what came of it",
        "",
        "Written by `make faults`: real workers, PostgreSQL and Redis, killed, stopped and starved. A *trial* is one",
        "fault at a random moment or at a chosen point of a load; the ledger is checked after it: every row of every",
        "imported file once, all books balanced, nothing held. *Recovery* is the time from the fault to the end of",
        f"what it struck, with a lease of {lease} seconds where it matters.",
        "",
        "| promise | trials | rows lost | rows doubled | recovery, median | recovery, p95 |",
        "|---|---|---|---|---|---|",
        *(f"| {trials.promise} {trials.what} | {_figures(trials)}" for trials in tried),
        f"| **together** | {_figures(*tried)}",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _figures(*several: Trials) -> str:
    recovery = [seconds for trials in several for seconds in trials.recovery]
    times = "– | –"
    if recovery:
        p95 = quantiles(recovery, n=20, method="inclusive")[-1] if len(recovery) > 1 else recovery[0]
        times = f"{median(recovery):.1f} s | {p95:.1f} s"
    sums = (sum(getattr(trials, name) for trials in several) for name in ("tried", "lost", "doubled"))
    return f"{' | '.join(map(str, sums))} | {times} |"
