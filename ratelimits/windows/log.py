"""The rule itself, over the moments at which something was taken: what the stores that are no server share."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeAlias

from ratelimits.windows.base import Claim, Taken

Moments: TypeAlias = "array[float]"
"""When something was taken, in order, in seconds since the epoch."""


def moments(packed: bytes = b"") -> Moments:
    """The moments of a log that was kept as bytes."""
    log = array("d")
    log.frombytes(packed)
    return log


def within(log: Moments, *, now: float, seconds: int) -> Moments:
    """What of the log still counts.

    What is further ahead than a whole window comes from a clock that was wrong; it would count for ever.
    """
    return log[bisect_right(log, now - seconds) : bisect_right(log, now + seconds)]


def settle(logs: Sequence[Moments], claims: Sequence[Claim], *, now: float, count: bool) -> list[Taken]:
    """Answer claims on logs of which only what counts is left; where all are allowed, write ``now`` into the logs."""
    fits = [len(log) < claim.limit for log, claim in zip(logs, claims, strict=True)]
    if count and all(fits):
        for log in logs:
            log.append(max(now, log[-1]) if log else now)
    return [
        told(
            claim,
            allowed=allowed,
            used=len(log),
            now=now,
            frees=log[max(0, len(log) - claim.limit)] if log else None,
        )
        for log, claim, allowed in zip(logs, claims, fits, strict=True)
    ]


def told(claim: Claim, *, allowed: bool, used: int, now: float, frees: float | None) -> Taken:
    """The answer to a claim; ``frees`` is what was taken when, and frees the next place when it stops to count."""
    reset_at = now if frees is None else frees + claim.seconds
    return Taken(allowed, claim.limit, max(0, claim.limit - used), now, reset_at)
