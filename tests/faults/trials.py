"""How often a fault is tried, where, and how long it took to get over it."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from statistics import median, quantiles

QUICK = 8


@dataclass
class Trials:
    """The trials of one promise."""

    promise: str
    tried: int = 0
    recovery: list[float] = field(default_factory=list)  # seconds
    seed: int = field(
        default_factory=lambda: int(os.environ.get("FAULT_SEED") or random.SystemRandom().getrandbits(32))
    )

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.wanted = int(os.environ.get("FAULT_TRIALS") or QUICK)
        print(f"\n{self.promise}: {self.wanted} trials, FAULT_SEED={self.seed}")

    def report(self) -> str:
        """One line: how many trials, and how long recovery took."""
        times = self.recovery or [0.0]
        p95 = quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
        return f"{self.promise}: {self.tried} trials, recovery median {median(times):.1f} s, p95 {p95:.1f} s"
