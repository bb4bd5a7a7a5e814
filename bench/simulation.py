"""Workers on paper: how many files a second so many of them would sync, given what a file was measured to take.

Each worker has a core of its own and takes file after file. A file is read and typed there; then it holds the lock of
its shop while the database works on it; the queue's messages go through one broker. Files are of random shops, and
their times scatter as those of an exponential law.
"""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass

_FILES = 6_000
_SEED = 20260101
_FULL = 0.8
"""What is busy for so much of the time is what limits."""


@dataclass(frozen=True, slots=True)
class Service:
    """Seconds for a file: computing in the worker and in the database, holding the shop's lock, and in the broker."""

    worker: float
    database: float
    lock: float
    broker: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Files a second, and for which share of the time the parts that all workers share were busy."""

    files_a_second: float
    busy: dict[str, float]

    @property
    def limit(self) -> str:
        """What is busiest, where anything is nearly always busy."""
        name, share = max(self.busy.items(), key=lambda part: part[1])
        return name if share > _FULL else "workers"


def simulate(service: Service, *, workers: int, database_cores: int, shops: int) -> Forecast:
    """Run so many workers until some thousand files are done."""
    chance = random.Random(_SEED)  # the same forecast each time
    cores, locks, broker = [0.0] * database_cores, [0.0] * shops, 0.0  # when each is free again
    computing, held, messages, now = 0.0, [0.0] * shops, 0.0, 0.0
    order = itertools.count()
    due: list[tuple[float, int, int | None]] = []  # when, in which order, and at the lock of which shop

    def next_file(after: float) -> None:
        ready = after + chance.expovariate(1 / service.worker)
        heapq.heappush(due, (ready, next(order), chance.randrange(shops)))

    for _ in range(workers):
        next_file(0.0)
    done = 0
    while done < _FILES:
        now, _, shop = heapq.heappop(due)
        if shop is None:  # the file is done, and the broker is asked
            took = service.broker
            broker, messages, done = max(now, broker) + took, messages + took, done + 1
            next_file(broker)
        elif locks[shop] > now:
            heapq.heappush(due, (locks[shop], next(order), shop))
        else:
            took = chance.expovariate(1 / service.database)
            began = max(now, cores[0])
            heapq.heapreplace(cores, began + took)
            locks[shop] = began + took + max(0.0, service.lock - service.database)
            computing, held[shop] = computing + took, held[shop] + locks[shop] - now
            heapq.heappush(due, (locks[shop], next(order), None))
    busy = {"the database": computing / database_cores / now, "the broker": messages / now}
    return Forecast(done / now, busy | {"the locks of shops": sum(held) / shops / now})
