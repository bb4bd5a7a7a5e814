"""The state of the catalogue in figures."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api import cached
from datasync.api.examples import governance as examples
from datasync.api.requests.governance import CoverageQuery
from datasync.api.serializers.governance import FamilyCoverage, PlatformFiles, Stats
from datasync.mapping.coverage import coverage, filter_families
from erp.api.authentication import person_of
from erp.api.pagination import Page
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated


class PlatformsView(APIView):
    """``GET /api/data-sync/platforms``"""

    @documented(
        name="list_platforms",
        summary="Platforms and their files by status",
        tag="governance",
        answer=PlatformFiles,
        example=[examples.PLATFORM],
        many=True,
    )
    def get(self, request: Request) -> Answer:
        return Answer(cached.platforms(sight=Sight.of(person_of(request))))


class StatsView(APIView):
    """``GET /api/data-sync/governance/stats``"""

    @documented(
        name="get_governance_stats",
        summary="Files by state, domain and platform, coverage, quarantine, and the oldest pending file",
        tag="governance",
        answer=Stats,
        example=examples.STATS,
    )
    def get(self, request: Request) -> Answer:
        return Answer(cached.governance_stats(sight=Sight.of(person_of(request))))


class DetailedCoverageView(APIView):
    """``GET /api/data-sync/governance/detailed-coverage``"""

    @documented(
        name="list_coverage",
        summary="Families of exports that were seen: covered, missing or needing an update",
        tag="governance",
        answer=FamilyCoverage,
        example=[examples.FAMILY],
        many=True,
        paged=True,
        query=CoverageQuery,
    )
    def get(self, request: Request) -> Answer:
        query = validated(CoverageQuery, request.query_params)
        wanted = {name: query.get(name, "") for name in ("platform", "domain", "status")}
        families = filter_families(coverage(sight=Sight.of(person_of(request))), **wanted)
        number, size = query["page"], query["page_size"]
        page = Page(families[(number - 1) * size : number * size], number=number, size=size, total=len(families))
        return Answer(FamilyCoverage(page.rows, many=True).data, page=page)
