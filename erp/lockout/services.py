"""What happens at a door when somebody may not, or did, get in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from erp.api.errors import error_of
from erp.lockout.exceptions import SignInLocked
from erp.refusals import refusal_page


def refuse_if_locked(request: Any, *, username: str) -> None:
    """Raise ``SignInLocked`` where ``authenticate`` has just found this caller locked out, or locked it out."""
    if getattr(request, "axes_locked_out", False):
        raise SignInLocked(wait=_seconds_locked(request, username))


def forget_failures(request: Any, *, username: str) -> None:
    """Let whoever has signed in begin anew."""
    AxesProxyHandler.get_implementation().reset_user_attempts(request, {"username": username})


def locked_out_answer(request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None) -> HttpResponse:
    """What django-axes has sent instead of an answer of a view: a page for the admin; the API has said it already."""
    if request.path_info.startswith("/api/"):
        return response
    username = str((credentials or {}).get("username") or "")
    locked = SignInLocked(wait=_seconds_locked(request, username))
    return refusal_page(request, error=error_of(locked), wait=locked.wait)


def _seconds_locked(request: Any, username: str) -> float:
    """Until so many of the failures are old enough that the others are too few."""
    attempts = AccessAttempt.objects.filter(username=username, ip_address=request.axes_ip_address)
    now, cool_off = timezone.now(), settings.AXES_COOLOFF_TIME
    counted = attempts.filter(attempt_time__gte=now - cool_off).order_by("attempt_time")
    failures = list(counted.values_list("attempt_time", "failures_since_start"))
    left = sum(count for _at, count in failures)
    for at, count in failures:
        left -= count
        if left < settings.AXES_FAILURE_LIMIT:
            ends: datetime = at + cool_off
            return max(0.0, (ends - now).total_seconds())
    return 0.0
