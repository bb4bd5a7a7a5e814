"""Which limits hold for a person: read anew for each request, so that a change holds at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import Exists, OuterRef, Q, QuerySet

from erp.asked_along import answer
from erp.compiled import compiled
from ratelimits.limits.choices import ANONYMOUS_TIER, NORMAL_TIER, SUPERUSER_TIER, WITHOUT_RULE, Scope
from ratelimits.limits.models import RateRule

ASKED_ALONG = "rate_rules"
_COLUMNS = ("tier", "scope", "endpoint", "per_minute", "own")
_OF_EVERYBODY = (NORMAL_TIER, ANONYMOUS_TIER, SUPERUSER_TIER)
_NOBODY = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A row that may hold for a person; ``own`` where its tier is a group of theirs."""

    tier: str
    scope: str
    endpoint: str
    per_minute: int
    own: bool


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller may in a scope, and the rules that hold for single calls of it, by their names."""

    scope: Scope
    tier: str
    per_minute: int
    endpoints: dict[str, Rule]


def rules_of(user: User | None) -> list[Rule]:
    """The rules of the person's tiers, and those for everybody; asked along with a token, else in one statement."""
    told = None if user is None else answer(user, ASKED_ALONG)
    rows = _rules_of(_NOBODY if user is None else user.pk) if told is None else told
    return [Rule(**row) for row in rows]


def rules_for(person: Any) -> QuerySet[RateRule, dict[str, Any]]:
    """The same as a queryset; ``person`` is a primary key, or a reference to one."""
    referred = OuterRef(person) if isinstance(person, OuterRef) else person
    own = Exists(Group.objects.filter(user=referred, name=OuterRef("tier")))
    enabled: Any = RateRule.objects.filter(enabled=True).annotate(own=own).order_by()
    rules: QuerySet[RateRule, dict[str, Any]] = enabled.filter(Q(own=True) | Q(tier__in=_OF_EVERYBODY)).values(
        *_COLUMNS
    )
    return rules


@compiled
def _rules_of(person_id: int) -> QuerySet[RateRule, dict[str, Any]]:
    return rules_for(person_id)


def allowance(rules: Sequence[Rule], *, user: User | None, scope: Scope) -> Allowance:
    """What these rules come to. Of several tiers of a person the most generous one counts, in each scope.

    A superuser's tier is ``admin``; whoever is in no group with a rule for the scope is of the tier ``normal``. A tier
    that has a rule for the scope, and none for a call, leaves that call free: a further group takes nothing away.
    """
    of_call: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.scope == scope:
            of_call.setdefault(rule.endpoint, []).append(rule)
    of_scope = of_call.pop("", [])
    chosen = _chosen(of_scope, user=user)
    if chosen is None:
        tier = ANONYMOUS_TIER if user is None else NORMAL_TIER
        limit = WITHOUT_RULE[scope][tier]
    else:
        tier, limit = chosen.tier, chosen.per_minute
    as_superuser = tier == SUPERUSER_TIER and user is not None and user.is_superuser
    whole = {SUPERUSER_TIER} if as_superuser else {rule.tier for rule in of_scope if rule.own}
    held = {
        endpoint: decides
        for endpoint, each in of_call.items()
        if whole <= {one.tier for one in each} and (decides := _chosen(each, user=user))
    }
    return Allowance(scope, tier, limit, held)


def _chosen(rules: Sequence[Rule], *, user: User | None) -> Rule | None:
    by_tier = {rule.tier: rule for rule in rules}
    if user is None:
        return by_tier.get(ANONYMOUS_TIER)
    if user.is_superuser and SUPERUSER_TIER in by_tier:
        return by_tier[SUPERUSER_TIER]
    own = [rule for rule in rules if rule.own]
    return max(own, key=lambda rule: (rule.per_minute, rule.tier)) if own else by_tier.get(NORMAL_TIER)
