"""The tasks of this application; Celery looks for them here."""

from ratelimits.credits.tasks import consume_credits, expire_credits, grant_credits, refund_credits
from ratelimits.events.tasks import purge_rate_limit_events

__all__ = ["consume_credits", "expire_credits", "grant_credits", "purge_rate_limit_events", "refund_credits"]
