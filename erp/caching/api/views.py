"""Staff who see all shops look at the cache and clear it. The console has no page for it, and so no right."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.views import APIView

from erp.api.responses import Answer
from erp.api.rights import REFUSALS, staff_of_all_shops
from erp.api.schema import documented
from erp.api.serializers import validated
from erp.caching import selectors, services
from erp.caching.api import examples
from erp.caching.api.requests import WhatToClear
from erp.caching.api.serializers import CacheStanding, ClearedCache
from erp.caching.exceptions import CacheUnavailable


class CacheStatusView(APIView):
    """``GET /api/cache/status``"""

    @documented(
        name="get_cache_status",
        summary="What is cached, and how often that helped",
        tag="cache",
        answer=CacheStanding,
        example=examples.STANDING,
        errors=REFUSALS,
        notes="For staff who see all shops. Where the cache is away the numbers are those of the process that answers.",
    )
    def get(self, request: Request) -> Answer:
        staff_of_all_shops(request)
        return Answer(CacheStanding(selectors.standing()).data)


class CacheClearView(APIView):
    """``POST /api/cache/clear``"""

    @documented(
        name="clear_cache",
        summary="Make outdated what is cached",
        tag="cache",
        answer=ClearedCache,
        example=examples.CLEARED,
        body=WhatToClear,
        body_example={"tag": "accounts"},
        errors=(*REFUSALS, CacheUnavailable),
        notes="For staff who see all shops. Nothing else that Redis keeps is touched. It is never needed after a "
        "change by the product: only after one that went past it, such as SQL by hand.",
    )
    def post(self, request: Request) -> Answer:
        staff_of_all_shops(request)
        asked = validated(WhatToClear, request.data)
        told = services.clear(asked.get("tag"))
        return Answer(ClearedCache({"tag": told}).data, message=_("Cleared; it is computed again when somebody asks."))
