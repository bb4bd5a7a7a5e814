"""Where the limiter tells this room."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django.http import HttpRequest

from ratelimits.events.recording import note
from ratelimits.events.refusals import refusal_of
from ratelimits.signals import refused


@receiver(refused, dispatch_uid="ratelimits.events")
def note_refusal(*, request: HttpRequest, key: str, scope: str, tier: str, limit: int, **_: Any) -> None:
    """Note the request; it is written down later."""
    note(refusal_of(request, key=key, scope=scope, tier=tier, limit=limit))
