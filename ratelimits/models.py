"""The tables of this application; Django looks for them here."""

from ratelimits.credits.models import CreditAccount, CreditEntry, CreditLot
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.limits.models import RateRule
from ratelimits.quotas.models import UserQuota

__all__ = ["CreditAccount", "CreditEntry", "CreditLot", "RateLimitDay", "RateLimitEvent", "RateRule", "UserQuota"]
