"""What every answer of the API says of its caller's limits."""

from __future__ import annotations

from math import ceil

from ratelimits.limits.choices import WINDOW_SECONDS
from ratelimits.limits.services import Verdict


def headers_of(verdict: Verdict) -> dict[str, str]:
    """The widespread X-RateLimit headers, of the window that decides, and those of the IETF's draft.

    The draft's tell all windows of the caller's own; what others take from as well only where it decides, else it would
    tell what they do. Moments are rounded up: whoever waits for them gets in.
    """
    deciding = verdict.tightest
    tightest = deciding.taken
    told = [(f'"{one.name}"', one.taken) for one in verdict.standings if one is deciding or not one.shared]
    return {
        "X-RateLimit-Limit": str(tightest.limit),
        "X-RateLimit-Remaining": str(tightest.remaining),
        "X-RateLimit-Reset": str(ceil(tightest.reset_at)),
        "RateLimit-Policy": ", ".join(f"{name};q={taken.limit};w={WINDOW_SECONDS}" for name, taken in told),
        "RateLimit": ", ".join(f"{name};r={taken.remaining};t={ceil(taken.reset_after)}" for name, taken in told),
    }
