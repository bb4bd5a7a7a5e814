"""Who collects: lists and figures that are kept until something changes."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api import cached
from datasync.api.examples import collection as examples
from datasync.api.requests.collection import AccountQuery, AccountStatsQuery, ComponentVersionQuery
from datasync.api.serializers.collection import Account, AccountStats, Version
from erp.api.authentication import person_of
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated

_SIGHT = "Whoever is limited to some shops sees the accounts that reach shops of theirs and no others."


class AccountsView(APIView):
    """``GET /api/collection/accounts``"""

    @documented(
        name="list_collection_accounts",
        summary="The accounts with which exports are collected",
        tag="collection",
        answer=Account,
        example=[examples.ACCOUNT],
        many=True,
        paged=True,
        query=AccountQuery,
        notes=_SIGHT,
    )
    def get(self, request: Request) -> Answer:
        query = validated(AccountQuery, request.query_params)
        page = cached.page_of(cached.accounts(query, sight=Sight.of(person_of(request))), query)
        return Answer(page.rows, page=page)


class AccountStatsView(APIView):
    """``GET /api/accounts/stats``"""

    @documented(
        name="get_account_stats",
        summary="The accounts in figures",
        tag="collection",
        answer=AccountStats,
        example=examples.STATS,
        query=AccountStatsQuery,
        notes=f"{_SIGHT} What is stale may be up to five minutes old.",
    )
    def get(self, request: Request) -> Answer:
        query = validated(AccountStatsQuery, request.query_params)
        return Answer(cached.account_stats(query, sight=Sight.of(person_of(request))))


class ComponentVersionsView(APIView):
    """``GET /api/component-versions``"""

    @documented(
        name="list_component_versions",
        summary="The versions of the collecting components",
        tag="collection",
        answer=Version,
        example=[examples.VERSION],
        many=True,
        paged=True,
        query=ComponentVersionQuery,
    )
    def get(self, request: Request) -> Answer:
        query = validated(ComponentVersionQuery, request.query_params)
        page = cached.page_of(cached.component_versions(query), query)
        return Answer(page.rows, page=page)
