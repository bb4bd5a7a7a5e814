"""The rules, for staff with the right to see and to change them."""

from __future__ import annotations

from http import HTTPStatus

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.views import APIView

from erp.api.pagination import paginate
from erp.api.responses import Answer
from erp.api.rights import REFUSALS, allowed
from erp.api.schema import documented
from erp.api.serializers import validated
from ratelimits.api import examples
from ratelimits.api.requests import ChangedRule, NewRule, RulesQuery
from ratelimits.api.serializers import Rule
from ratelimits.limits.models import RateRule
from ratelimits.rules import selectors, services
from ratelimits.rules.exceptions import RateRuleExists, RateRuleNotFound

_AT_ONCE = "For staff with the right to do it. It holds from the next request on."


class RulesView(APIView):
    """``GET`` and ``POST /api/rate-limit/config``"""

    @documented(
        name="list_rate_rules",
        summary="Who may ask how often",
        tag="rate limits",
        answer=Rule,
        example=[examples.RULE],
        many=True,
        paged=True,
        query=RulesQuery,
        errors=REFUSALS,
        notes="For staff with the right to see it.",
    )
    def get(self, request: Request) -> Answer:
        allowed(request, "view", RateRule)
        query = validated(RulesQuery, request.query_params)
        found = selectors.rules(tier=query.get("tier", ""), scope=query.get("scope", ""))
        page = paginate(found, page=query["page"], page_size=query["page_size"])
        return Answer(Rule(page.rows, many=True).data, page=page)

    @documented(
        name="create_rate_rule",
        summary="Give a tier a limit",
        tag="rate limits",
        answer=Rule,
        status=HTTPStatus.CREATED,
        example=examples.RULE,
        body=NewRule,
        body_example=examples.NEW_RULE,
        errors=(RateRuleExists, *REFUSALS),
        notes=_AT_ONCE,
    )
    def post(self, request: Request) -> Answer:
        staff = allowed(request, "add", RateRule)
        rule = services.create_rule(by=staff, **validated(NewRule, request.data))
        return Answer(Rule(rule).data, status=HTTPStatus.CREATED)


class RuleView(APIView):
    """``GET``, ``PATCH`` and ``DELETE /api/rate-limit/config/{id}``"""

    @documented(
        name="get_rate_rule",
        summary="One rule",
        tag="rate limits",
        answer=Rule,
        example=examples.RULE,
        errors=(RateRuleNotFound, *REFUSALS),
        notes="For staff with the right to see it.",
    )
    def get(self, request: Request, rule_id: int) -> Answer:
        allowed(request, "view", RateRule)
        return Answer(Rule(selectors.rule_by_id(rule_id)).data)

    @documented(
        name="change_rate_rule",
        summary="Change a rule",
        tag="rate limits",
        answer=Rule,
        example=examples.RULE | examples.CHANGED_RULE,
        body=ChangedRule,
        body_example=examples.CHANGED_RULE,
        errors=(RateRuleNotFound, RateRuleExists, *REFUSALS),
        notes=_AT_ONCE,
    )
    def patch(self, request: Request, rule_id: int) -> Answer:
        staff = allowed(request, "change", RateRule)
        rule = services.change_rule(rule_id, by=staff, **validated(ChangedRule, request.data))
        return Answer(Rule(rule).data, message=_("Saved."))

    @documented(
        name="delete_rate_rule",
        summary="Delete a rule",
        tag="rate limits",
        example=None,
        errors=(RateRuleNotFound, *REFUSALS),
        notes=f"{_AT_ONCE} Then the rule of the tier `normal` holds, or the built-in limit.",
        changes=True,
    )
    def delete(self, request: Request, rule_id: int) -> Answer:
        services.delete_rule(rule_id, by=allowed(request, "delete", RateRule))
        return Answer(None, message=_("The rule was deleted."))
