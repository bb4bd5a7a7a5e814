"""What is left to whoever asks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from erp.api.responses import Answer
from erp.api.schema import documented
from ratelimits.api import examples
from ratelimits.api.serializers import MyLimits
from ratelimits.limits.choices import WINDOW_SECONDS
from ratelimits.limits.services import Verdict, standings_of


class MyInfoView(APIView):
    """``GET /api/rate-limit/my-info``"""

    @documented(
        name="get_my_rate_limits",
        summary="Whom the limits count you as, and what is left to you in each scope",
        tag="rate limits",
        answer=MyLimits,
        example=examples.MINE,
        notes="This request counts once, in the scope `default`; looking at the other scopes counts nothing.",
    )
    def get(self, request: Request) -> Answer:
        verdicts = standings_of(request)
        mine = {"key": verdicts[0].key, "tier": verdicts[0].tier, "limits": [_left(verdict) for verdict in verdicts]}
        return Answer(MyLimits(mine).data)


def _left(verdict: Verdict) -> dict[str, Any]:
    taken = verdict.tightest.taken
    return {
        "scope": verdict.scope,
        "tier": verdict.tier,
        "limit": taken.limit,
        "window_seconds": WINDOW_SECONDS,
        "remaining": taken.remaining,
        "reset_at": datetime.fromtimestamp(taken.reset_at, tz=UTC),
    }
