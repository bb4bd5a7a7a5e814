"""Making, changing and deleting rules. Each change is in the history that the console shows of the rule."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from datasync.exceptions import InvalidRequest
from ratelimits.limits.models import RateRule
from ratelimits.rules.exceptions import RateRuleExists, RateRuleNotFound


def create_rule(*, by: User, **fields: Any) -> RateRule:
    """A new rule. Raises ``InvalidRequest`` and ``RateRuleExists``."""
    with transaction.atomic():
        rule = _saved(RateRule(**fields), unchanged=set())
        _note(rule, by, ADDITION, [{"added": {}}])
    return rule


def change_rule(rule_id: int, *, by: User, **fields: Any) -> RateRule:
    """The rule with these fields changed. Raises ``RateRuleNotFound``, ``InvalidRequest`` and ``RateRuleExists``."""
    with transaction.atomic():
        rule = _held(rule_id)
        for name, value in fields.items():
            setattr(rule, name, value)
        _saved(rule, unchanged={field.name for field in RateRule._meta.fields} - set(fields))
        _note(rule, by, CHANGE, [{"changed": {"fields": sorted(fields)}}])
    return rule


def delete_rule(rule_id: int, *, by: User) -> None:
    """Without the rule, that of the tier ``normal`` holds, or the built-in limit. Raises ``RateRuleNotFound``."""
    with transaction.atomic():
        rule = _held(rule_id)
        _note(rule, by, DELETION, [{"deleted": {}}])
        rule.delete()


def _held(rule_id: int) -> RateRule:
    """The rule, which nobody else changes before the transaction ends."""
    rule = RateRule.objects.select_for_update().filter(pk=rule_id).first()
    if rule is None:
        raise RateRuleNotFound(what=rule_id)
    return rule


def _saved(rule: RateRule, *, unchanged: set[str]) -> RateRule:
    _require_sense(rule, unchanged=unchanged)
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError:
        same = RateRule.objects.filter(tier=rule.tier, scope=rule.scope, endpoint=rule.endpoint)
        raise RateRuleExists(rule_id=same.values_list("pk", flat=True).first()) from None
    return rule


def _require_sense(rule: RateRule, *, unchanged: set[str]) -> None:
    """Refuse a rule that would never hold, naming the first field that makes no sense.

    What does not change is not asked: a rule whose group is gone can still be turned off.
    """
    try:
        rule.clean_fields(exclude=unchanged)
    except ValidationError as error:
        field, texts = next(iter(error.message_dict.items()))
        raise InvalidRequest(detail=" ".join(texts), field=field) from None


def _note(rule: RateRule, by: User, flag: int, message: list[Any]) -> None:
    LogEntry.objects.log_actions(by.pk, [rule], flag, message, single_object=True)
