"""What one may have and has; staff see and set it for others."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from erp.api.authentication import person_of
from erp.api.pagination import paginate
from erp.api.responses import Answer
from erp.api.rights import REFUSALS, allowed
from erp.api.schema import documented
from erp.api.serializers import validated
from ratelimits.quotas import selectors, services
from ratelimits.quotas.api import examples
from ratelimits.quotas.api.requests import OwnLimits, QuotaQuery
from ratelimits.quotas.api.serializers import OwnQuota, Quota, UserStanding
from ratelimits.quotas.exceptions import QuotaNotFound, UserNotFound
from ratelimits.quotas.models import UserQuota


class MyQuotaView(APIView):
    """``GET /api/quota/me``"""

    @documented(
        name="get_my_quota",
        summary="What you may have, and what of it you have",
        tag="quota",
        answer=Quota,
        example=examples.MINE,
        notes="A submit beyond it is answered with 429 QUOTA_EXCEEDED and Retry-After, one that waiting does not help "
        "with 422 TASK_BEYOND_QUOTA. A task gives its place back by ending.",
    )
    def get(self, request: Request) -> Answer:
        person = person_of(request)
        return Answer(Quota(selectors.standing_of(person, sight=Sight.of(person))).data)


class UserQuotasView(APIView):
    """``GET /api/quota/users``"""

    @documented(
        name="list_user_quotas",
        summary="The limits that persons have of their own",
        tag="quota",
        answer=OwnQuota,
        example=[examples.OWN],
        many=True,
        paged=True,
        query=QuotaQuery,
        errors=REFUSALS,
        notes="For staff with the right to see it. The limits of tiers are set in the admin.",
    )
    def get(self, request: Request) -> Answer:
        allowed(request, "view", UserQuota)
        query = validated(QuotaQuery, request.query_params)
        quotas = selectors.own_quotas(search=query.get("search", ""))
        page = paginate(quotas, page=query["page"], page_size=query["page_size"])
        return Answer(OwnQuota(page.rows, many=True).data, page=page)


class UserQuotaView(APIView):
    """``GET``, ``PUT`` and ``DELETE /api/quota/users/{id}``"""

    @documented(
        name="get_user_quota",
        summary="What a person may have, and what of it they have",
        tag="quota",
        answer=UserStanding,
        example=examples.STANDING,
        errors=(UserNotFound, *REFUSALS),
        notes="For staff with the right to see it.",
    )
    def get(self, request: Request, user_id: int) -> Answer:
        staff = allowed(request, "view", UserQuota)
        return Answer(_standing(selectors.person_with(user_id), sight=Sight.of(staff)))

    @documented(
        name="set_user_quota",
        summary="Give a person limits of their own",
        tag="quota",
        answer=UserStanding,
        example=examples.STANDING,
        body=OwnLimits,
        body_example={"max_active_tasks": 20, "max_rows_per_day": None},
        errors=(UserNotFound, *REFUSALS),
        notes="For staff with the right to do it. The limits take the place of those that were set before; "
        "active tasks go on.",
    )
    def put(self, request: Request, user_id: int) -> Answer:
        staff = allowed(request, "change" if selectors.has_own_limits(user_id) else "add", UserQuota)
        limits = validated(OwnLimits, request.data)
        user = selectors.person_with(user_id)
        services.set_own_limits(user, by=staff, **limits)
        return Answer(_standing(user, sight=Sight.of(staff)), message=_("Saved."))

    @documented(
        name="clear_user_quota",
        summary="Let the tier and the installation decide a person's limits again",
        tag="quota",
        answer=UserStanding,
        example=examples.CLEARED,
        errors=(UserNotFound, QuotaNotFound, *REFUSALS),
        notes="For staff with the right to do it.",
        changes=True,
    )
    def delete(self, request: Request, user_id: int) -> Answer:
        staff = allowed(request, "delete", UserQuota)
        user = selectors.person_with(user_id)
        services.clear_own_limits(user)
        return Answer(_standing(user, sight=Sight.of(staff)), message=_("The limits were cleared."))


def _standing(user: User, *, sight: Sight) -> dict[str, Any]:
    return dict(UserStanding(selectors.standing_of(user, sight=sight)).data)
