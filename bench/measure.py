"""Times and ratios: taken in turn, compared turn by turn."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Series:
    """Seconds of one thing, a figure for each turn."""

    seconds: list[float] = field(default_factory=list)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the seconds that the block takes."""
        begun = time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - begun)

    def add(self, seconds: float) -> None:
        """Add a figure that was taken elsewhere."""
        self.seconds.append(seconds)

    @property
    def median(self) -> float:
        """The middle figure."""
        return statistics.median(self.seconds)

    def quantile(self, share: float) -> float:
        """The smallest figure that so large a share of all is not above: 0.99 of a hundred figures is the 99th."""
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of figures that were taken in the same turn."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
