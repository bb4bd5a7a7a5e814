"""How good the data of a shop is, as one number from 0 to 100.

    score = 70 × mean completeness of the domain's core fields
          + 20 × share of the rows read that could be parsed
          + 10 × share of the rows read that were no duplicates within their file

A domain without core fields is judged by the last two alone (67 and 33). A change of volume is shown, not scored: a
good month is no defect.
"""

from __future__ import annotations

from collections.abc import Mapping

WEIGHT_COMPLETE, WEIGHT_PARSED, WEIGHT_UNIQUE = 70.0, 20.0, 10.0


def score(*, completeness: Mapping[str, float], read: int, parse_failures: int, duplicates: int) -> float | None:
    """The score; None when nothing is known: no row was read and no field was measured."""
    parts: list[tuple[float, float]] = []
    if completeness:
        parts.append((WEIGHT_COMPLETE, sum(completeness.values()) / len(completeness)))
    if read:
        parts.append((WEIGHT_PARSED, 1 - parse_failures / read))
        parts.append((WEIGHT_UNIQUE, 1 - duplicates / read))
    if not parts:
        return None
    return round(100 * sum(weight * share for weight, share in parts) / sum(weight for weight, _ in parts), 1)


def percent_change(now: float, before: float) -> float | None:
    """By how many percent ``now`` differs from ``before``; None where there is nothing to compare with."""
    return round(100 * (now - before) / abs(before), 1) if before else None
