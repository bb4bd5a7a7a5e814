"""What one has and why; staff grant."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.runs.selectors import ids_in_sight
from erp.api.authentication import person_of
from erp.api.pagination import cursor_page
from erp.api.responses import Answer
from erp.api.rights import REFUSALS, allowed
from erp.api.schema import documented
from erp.api.serializers import validated
from ratelimits.credits import selectors, services
from ratelimits.credits.api import examples
from ratelimits.credits.api.requests import EntryQuery, Grant
from ratelimits.credits.api.serializers import CreditBalance, CreditLine
from ratelimits.credits.exceptions import CreditKeyTaken, ExpiryPassed
from ratelimits.credits.models import CreditEntry
from ratelimits.quotas.exceptions import UserNotFound
from ratelimits.quotas.selectors import person_with


class BalanceView(APIView):
    """``GET /api/credits/balance``"""

    @documented(
        name="get_my_credits",
        summary="How many credits you have",
        tag="credits",
        answer=CreditBalance,
        example=examples.BALANCE,
        notes="A sync takes one for each row that it wrote, when it has ended. Where credits are required, a submit "
        "without any is answered with 402 CREDITS_EXHAUSTED.",
    )
    def get(self, request: Request) -> Answer:
        return Answer(CreditBalance(selectors.standing_of(person_of(request))).data)


class EntriesView(APIView):
    """``GET /api/credits/entries``"""

    @documented(
        name="list_my_credit_entries",
        summary="What was granted, used, refunded and expired, the latest first",
        tag="credits",
        answer=CreditLine,
        example=[examples.USED, examples.GRANTED],
        many=True,
        cursors=True,
        query=EntryQuery,
    )
    def get(self, request: Request) -> Answer:
        query = validated(EntryQuery, request.query_params)
        person = person_of(request)
        entries = selectors.entries_of(person, kind=query.get("kind", ""), task=query.get("task_id", ""))
        page = cursor_page(entries, ordering=("-id",), page_size=query["page_size"], cursor=query.get("cursor"))
        told = ids_in_sight({entry.task for entry in page.rows if entry.task}, sight=Sight.of(person))
        return Answer(CreditLine(page.rows, many=True, context={"tasks": told}).data, page=page)


class GrantView(APIView):
    """``POST /api/credits/users/{id}/grant``"""

    @documented(
        name="grant_credits",
        summary="Give a person credits",
        tag="credits",
        answer=CreditLine,
        example=examples.GRANTED,
        body=Grant,
        body_example=examples.GRANT_REQUEST,
        errors=(UserNotFound, *REFUSALS, CreditKeyTaken, ExpiryPassed),
        notes="For staff with the right to do it. The same request with the same `key` is answered with the same "
        "entry, and grants nothing more; the key with another request is refused.",
    )
    def post(self, request: Request, user_id: int) -> Answer:
        staff = allowed(request, "add", CreditEntry)
        asked = validated(Grant, request.data)
        entry = services.grant(person_with(user_id), by=staff, **asked)
        return Answer(CreditLine(entry).data, message=_("Granted."))
