"""The tables of this application; Django looks for them here."""

from ratelimits.quotas.models import UserQuota

__all__ = ["UserQuota"]
