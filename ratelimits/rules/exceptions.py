"""What can go wrong in this room."""

from __future__ import annotations

from datasync.exceptions import NotFound, SyncError


class RateRuleNotFound(NotFound):
    """There is no such rate rule: %(what)s."""

    code = "RATE_RULE_NOT_FOUND"


class RateRuleExists(SyncError):
    """There is a rule for this tier, scope and call already: %(rule_id)s."""

    code = "RATE_RULE_EXISTS"
    recovery = "Change that rule, or delete it first."
