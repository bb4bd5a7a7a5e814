"""What every answer of the API says of its caller's limits."""

from __future__ import annotations

from math import ceil

from ratelimits.limits.choices import WINDOW_SECONDS
from ratelimits.limits.services import Verdict


def headers_of(verdict: Verdict) -> dict[str, str]:
    """The widespread X-RateLimit headers, of the window that decides, and those of the IETF's draft, of all windows.

    Moments are rounded up: whoever waits for them gets in.
    """
    tightest = verdict.tightest.taken
    told = [(f'"{standing.name}"', standing.taken) for standing in verdict.standings]
    return {
        "X-RateLimit-Limit": str(tightest.limit),
        "X-RateLimit-Remaining": str(tightest.remaining),
        "X-RateLimit-Reset": str(ceil(tightest.reset_at)),
        "RateLimit-Policy": ", ".join(f"{name};q={taken.limit};w={WINDOW_SECONDS}" for name, taken in told),
        "RateLimit": ", ".join(f"{name};r={taken.remaining};t={ceil(taken.reset_after)}" for name, taken in told),
    } | ({} if verdict.allowed else {"Retry-After": str(max(1, ceil(tightest.retry_after)))})
