"""Liveness says that the process answers; readiness says what it can reach, and how fast."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from erp.health.probes import PROBES, run_all


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    """200 as long as the process answers; touches nothing else, so that a dead database restarts no web process."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    """503 when something is lost without which no request can be served; else 200, ``degraded`` if anything is lost."""
    outcomes = run_all(PROBES)
    lost = [probe for probe in PROBES if outcomes[probe.name].error]
    unusable = any(probe.is_essential() for probe in lost)
    checks = {
        name: {"status": outcome.error or "ok", "latency_ms": round(outcome.seconds * 1000, 1)}
        for name, outcome in outcomes.items()
    }
    status = "failed" if unusable else "degraded" if lost else "ok"
    return JsonResponse(
        {"status": status, "checks": checks},
        status=HTTPStatus.SERVICE_UNAVAILABLE if unusable else HTTPStatus.OK,
    )
