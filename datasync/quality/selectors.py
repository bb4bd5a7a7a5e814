"""Reading quality reports."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from datasync.access import Sight
from datasync.models import QualityReport


def reports(
    *,
    sight: Sight,
    platform: str | None = None,
    shop_id: int | None = None,
    domain: str | None = None,
    task_id: int | None = None,
    below: float | None = None,
) -> QuerySet[QualityReport]:
    """Stored reports, newest first. ``below`` keeps those with a score under it; ``task_id`` is a primary key."""
    wanted: dict[str, Any] = {"platform": platform, "shop": shop_id, "domain": domain, "task": task_id}
    wanted["score__lt"] = below
    asked = {name: value for name, value in wanted.items() if value is not None}
    found = QualityReport.objects.filter(sight.facts(), **asked)
    return found.select_related("platform", "shop").order_by("-id")
