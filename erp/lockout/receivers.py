"""The log hears of every lock-out."""

from __future__ import annotations

import logging
from typing import Any

from axes.signals import user_locked_out
from django.dispatch import receiver

logger = logging.getLogger(__name__)


@receiver(user_locked_out, dispatch_uid="erp.lockout")
def note_lock_out(*, username: str | None, ip_address: str | None, **_: Any) -> None:
    """Say who and from where; what was typed as a name is shown as it was typed, on one line."""
    logger.warning("Signing in as %r from %s is refused after several failures.", username, ip_address)
