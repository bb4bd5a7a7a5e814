"""Which rules there are."""

from __future__ import annotations

from django.db.models import QuerySet

from ratelimits.limits.models import RateRule
from ratelimits.rules.exceptions import RateRuleNotFound


def rules(*, tier: str = "", scope: str = "") -> QuerySet[RateRule]:
    """The rules by scope and call, the most generous first; of one tier or scope where that is said."""
    wanted = {name: value for name, value in (("tier", tier), ("scope", scope)) if value}
    return RateRule.objects.filter(**wanted)


def rule_by_id(rule_id: int) -> RateRule:
    """The rule with that id. Raises ``RateRuleNotFound``."""
    rule = RateRule.objects.filter(pk=rule_id).first()
    if rule is None:
        raise RateRuleNotFound(what=rule_id)
    return rule
