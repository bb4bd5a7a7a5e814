"""Which limits hold for a person: read anew for each request, so that a change holds at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection

from ratelimits.limits.choices import ANONYMOUS_TIER, NORMAL_TIER, SUPERUSER_TIER, WITHOUT_RULE, Scope

_RULES = """
SELECT rule.tier, rule.scope, rule.endpoint, rule.per_minute, person_group.id IS NOT NULL
FROM ratelimits_raterule rule
LEFT JOIN (auth_user_groups person_group JOIN auth_group ON auth_group.id = person_group.group_id)
    ON auth_group.name = rule.tier AND person_group.user_id = %s
WHERE rule.enabled AND (person_group.id IS NOT NULL OR rule.tier IN (%s, %s))
"""
"""Written out, since every request of the API asks it: building it from models takes longer than its answer."""


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
    """The rules of the person's tiers, or of nobody's, in one statement."""
    if user is None:
        parameters: tuple[int | None, str, str] = (None, ANONYMOUS_TIER, ANONYMOUS_TIER)
    else:
        parameters = (user.pk, NORMAL_TIER, SUPERUSER_TIER if user.is_superuser else NORMAL_TIER)
    with connection.cursor() as cursor:
        cursor.execute(_RULES, parameters)
        return [Rule(tier, scope, endpoint, limit, bool(own)) for tier, scope, endpoint, limit, own in cursor]


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
