"""The pages of this application; Django looks for them here."""

from ratelimits.credits.admin import CreditAccountAdmin, CreditEntryAdmin
from ratelimits.events.admin import RateLimitDayAdmin, RateLimitEventAdmin
from ratelimits.limits.admin import RateRuleAdmin
from ratelimits.quotas.admin import UserQuotaAdmin

__all__ = [
    "CreditAccountAdmin",
    "CreditEntryAdmin",
    "RateLimitDayAdmin",
    "RateLimitEventAdmin",
    "RateRuleAdmin",
    "UserQuotaAdmin",
]
