"""What limits refused: figures of a day, the log, and who is refused unusually often."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.views import APIView

from erp.api.pagination import paginate
from erp.api.responses import Answer
from erp.api.rights import REFUSALS, allowed
from erp.api.schema import documented
from erp.api.serializers import validated
from ratelimits.api import examples
from ratelimits.api.requests import AnomaliesQuery, EventsQuery, StatsQuery
from ratelimits.api.serializers import Anomaly, ClearedStats, Event, RefusalStats
from ratelimits.events import selectors, services
from ratelimits.events.clock import today
from ratelimits.events.models import RateLimitDay, RateLimitEvent

_SOON = "Refusals are written down once a second, and forgotten after 30 days."


class StatsView(APIView):
    """``GET`` and ``DELETE /api/rate-limit/stats``"""

    @documented(
        name="get_rate_limit_stats",
        summary="How much was refused on a day: by caller and by path",
        tag="rate limits",
        answer=RefusalStats,
        example=examples.STATS,
        query=StatsQuery,
        errors=REFUSALS,
        notes=f"For staff with the right to see it. {_SOON}",
    )
    def get(self, request: Request) -> Answer:
        allowed(request, "view", RateLimitDay)
        query = validated(StatsQuery, request.query_params)
        return Answer(RefusalStats(selectors.stats_of(query.get("date") or today())).data)

    @documented(
        name="clear_rate_limit_stats",
        summary="Forget the figures of a day",
        tag="rate limits",
        answer=ClearedStats,
        example=examples.CLEARED,
        query=StatsQuery,
        errors=REFUSALS,
        notes="For staff with the right to do it. The log of single refusals stays.",
        changes=True,
    )
    def delete(self, request: Request) -> Answer:
        allowed(request, "delete", RateLimitDay)
        query = validated(StatsQuery, request.query_params)
        day = query.get("date") or today()
        cleared = services.clear_day(day)
        return Answer(ClearedStats({"date": day, "cleared": cleared}).data, message=_("The figures were cleared."))


class EventsView(APIView):
    """``GET /api/rate-limit/events``"""

    @documented(
        name="list_rate_limit_events",
        summary="The newest refusals: who, where and how often within a minute",
        tag="rate limits",
        answer=Event,
        example=[examples.EVENT],
        many=True,
        query=EventsQuery,
        errors=REFUSALS,
        notes=f"For staff with the right to see it. {_SOON}",
    )
    def get(self, request: Request) -> Answer:
        allowed(request, "view", RateLimitEvent)
        query = validated(EventsQuery, request.query_params)
        found = selectors.events(key=query.get("key", ""), scope=query.get("scope", ""))
        return Answer(Event(found[: query["limit"]], many=True).data)


class AnomaliesView(APIView):
    """``GET /api/rate-limit/anomalies``"""

    @documented(
        name="list_rate_limit_anomalies",
        summary="Callers who were refused unusually often within the last hour",
        tag="rate limits",
        answer=Anomaly,
        example=[examples.ANOMALY],
        many=True,
        paged=True,
        query=AnomaliesQuery,
        errors=REFUSALS,
        notes="For staff with the right to see it. A warning above the threshold, critical from twice that on.",
    )
    def get(self, request: Request) -> Answer:
        allowed(request, "view", RateLimitEvent)
        query = validated(AnomaliesQuery, request.query_params)
        threshold = query["threshold"]
        callers = selectors.unusual_callers(threshold=threshold)
        page = paginate(callers, page=query["page"], page_size=query["page_size"])
        found = selectors.anomalies(page.rows, threshold=threshold)
        return Answer(Anomaly(found, many=True).data, page=page)
