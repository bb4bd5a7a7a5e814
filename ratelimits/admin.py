"""The pages of this application; Django looks for them here."""

from ratelimits.quotas.admin import UserQuotaAdmin

__all__ = ["UserQuotaAdmin"]
