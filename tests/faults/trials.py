"""How often a fault is tried, where, and how long it took to get over it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

_all: list[Trials] = []


@dataclass
class Trials:
    """The trials of one promise: ``quick`` of them with all tests, ``FAULT_TRIALS`` in the long run.

    ``cost`` says how many usual trials one of these costs, and the long run has so many fewer. Iterating tries.
    """

    promise: str
    what: str
    quick: int = 1
    cost: int = 1
    tried: int = 0
    lost: int = 0
    doubled: int = 0
    recovery: list[float] = field(default_factory=list)  # seconds
    seed: int = field(
        default_factory=lambda: int(os.environ.get("FAULT_SEED") or random.SystemRandom().getrandbits(32))
    )

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        wanted = os.environ.get("FAULT_TRIALS")
        self.wanted = max(1, int(wanted) // self.cost) if wanted else self.quick
        _all.append(self)
        print(f"\n{self.promise} {self.what}: {self.wanted} trials, FAULT_SEED={self.seed}")

    def __iter__(self) -> Iterator[int]:
        for number in range(self.wanted):
            self.tried += 1
            yield number


def write_report(path: Path) -> None:
    """The table of all promises that were tried in this session."""
    lease = os.environ.get("FAULT_LEASE_SECONDS", "5")
    lines = [
        "# What was broken, and what came of it",
        "",
        "Written by `make faults`: real workers, PostgreSQL and Redis, killed, stopped and starved. A *trial* is one",
        "fault at a random moment; the ledger is checked after it: every row of every imported file once, all books",
        "balanced, nothing held. *Recovery* is the time from the fault to the end of what it struck, with a lease of",
        f"{lease} seconds.",
        "",
        "| promise | trials | rows lost | rows doubled | recovery, median | recovery, p95 |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_line(trials) for trials in sorted(_all, key=lambda trials: (int(trials.promise[1:]), trials.what))]
    total = sum(trials.tried for trials in _all)
    lines += ["", f"{total} trials in all."]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _line(trials: Trials) -> str:
    times = "– | –"
    if trials.recovery:
        p95 = quantiles(trials.recovery, n=20)[-1] if len(trials.recovery) > 1 else trials.recovery[0]
        times = f"{median(trials.recovery):.1f} s | {p95:.1f} s"
    return f"| {trials.promise} {trials.what} | {trials.tried} | {trials.lost} | {trials.doubled} | {times} |"
