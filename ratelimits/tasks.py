"""The tasks of this application; Celery looks for them here."""

from ratelimits.credits.tasks import check_credits, consume_credits, expire_credits, grant_credits, refund_credits
from ratelimits.events.tasks import purge_rate_limit_events

__all__ = [
    "check_credits",
    "consume_credits",
    "expire_credits",
    "grant_credits",
    "purge_rate_limit_events",
    "refund_credits",
]
