"""Refused requests for the tests of their log, their figures and their pages."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from ratelimits.events.buffer import Noted
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.events.refusals import Refusal

ADDRESS, FILES = "ip:203.0.113.9", "/api/data-sync/files"
HOSTILE = "/api/x\r\nSet-Cookie: a=b\0\u202e<script>alert(1)</script>"


def refusal(key: str = ADDRESS, path: str = FILES, **fields: Any) -> Refusal:
    """What is kept of a refused request."""
    return Refusal(key=key, scope=fields.pop("scope", "default"), tier=fields.pop("tier", "anonymous"), path=path,
                   **fields)  # fmt: skip


def noted(key: str = ADDRESS, *, times: int = 1, ago: float = 0.0, **fields: Any) -> Noted:
    """Refusals that a process noted, the last one so many seconds ago."""
    return Noted(refusal(key, **fields), times, time.monotonic() - ago)


def event(key: str = ADDRESS, *, times: int = 1, ago: timedelta = timedelta(), **fields: Any) -> RateLimitEvent:
    """A row of the log."""
    last_at = timezone.now() - ago
    known = {"path": FILES, "method": "GET", "scope": "default", "tier": "anonymous", **fields}
    return RateLimitEvent.objects.create(key=key, times=times, at=minute(last_at), last_at=last_at, **known)


def counted(day: date, refused: int, *, key: str = ADDRESS, path: str = FILES) -> RateLimitDay:
    """A count of a day."""
    return RateLimitDay.objects.create(day=day, key=key, path=path, refused=refused)


def minute(moment: datetime) -> datetime:
    """The minute of a moment."""
    return moment.replace(second=0, microsecond=0)


def give(user: User, *rights: str) -> None:
    """Make the person staff with these rights, such as ``view_raterule``."""
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="ratelimits", codename__in=rights))
