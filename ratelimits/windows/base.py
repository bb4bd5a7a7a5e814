"""What a window is asked and answers, whatever store keeps its log.

Each key has the log of what was taken within the last seconds. Nothing is ever counted that was refused, so whoever
waits as long as they are told gets in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass


class StoreAway(Exception):
    """The store did not answer, or not in time; it may have counted all the same."""


class StoreBusy(StoreAway):
    """The store is there, but others kept it for too long; nothing was counted."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish to take once from a key, which gives ``limit`` in any ``seconds``."""

    key: str
    limit: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a claim. ``now`` and ``reset_at`` are seconds since the epoch by the store's clock.

    At ``reset_at`` the next place gets free; where all of them are, that is now.
    """

    allowed: bool
    limit: int
    remaining: int
    now: float
    reset_at: float

    @property
    def reset_after(self) -> float:
        """Seconds until the next place gets free."""
        return max(0.0, self.reset_at - self.now)

    @property
    def retry_after(self) -> float:
        """Seconds to wait before it is worth asking again; 0 where it was allowed."""
        return 0.0 if self.allowed else self.reset_after


class Window(ABC):
    """The logs of all keys in one store."""

    @abstractmethod
    def ask(self, claims: Sequence[Claim], *, count: bool) -> list[Taken]:
        """An answer for each claim; all are taken together where all are allowed, else none.

        Without ``count`` nothing is taken, and the answers say what would be. Raises ``StoreAway``.
        """

    def take(self, key: str, *, limit: int, seconds: int) -> Taken:
        """Take once. Raises ``StoreAway``."""
        return self.ask((Claim(key, limit, seconds),), count=True)[0]

    def look(self, key: str, *, limit: int, seconds: int) -> Taken:
        """What taking once would come to. Raises ``StoreAway``."""
        return self.ask((Claim(key, limit, seconds),), count=False)[0]
