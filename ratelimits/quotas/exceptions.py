"""What can go wrong in this room. What a submit is refused with is in ``datasync.exceptions``."""

from __future__ import annotations

from datasync.exceptions import NotFound


class UserNotFound(NotFound):
    """There is no such person: %(what)s."""

    code = "USER_NOT_FOUND"


class QuotaNotFound(NotFound):
    """%(what)s has no limits of their own."""

    code = "QUOTA_NOT_FOUND"
    recovery = "Nothing to do: the limits of the tier, or of the installation, hold already."
