"""Look-ups of catalogued files."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from datasync.choices import FileState
from datasync.models import CatalogFile


def files() -> QuerySet[CatalogFile]:
    """All files with their shop and template, newest first, without the bulky columns of their content."""
    rows = CatalogFile.objects.select_related("shop", "template", "platform", "source_platform")
    return rows.defer("profile").order_by("-id")


def pending_files(
    *,
    platform: str | None = None,
    domains: Collection[str] = (),
    granularities: Collection[str] = (),
    since_hours: int | None = None,
    with_template_only: bool = False,
) -> QuerySet[CatalogFile]:
    """Files that wait for a sync, oldest collection first; ``since_hours`` counts from when they were first seen.

    An older export goes first, so that the newer one of the same period has the last word.
    """
    rows = CatalogFile.objects.filter(state=FileState.PENDING)
    if platform:
        rows = rows.filter(platform_id=platform)
    if domains:
        rows = rows.filter(domain__in=domains)
    if granularities:
        rows = rows.filter(granularity__in=granularities)
    if since_hours is not None:
        rows = rows.filter(first_seen_at__gte=timezone.now() - timedelta(hours=since_hours))
    if with_template_only:
        rows = rows.filter(template__isnull=False)
    return rows.order_by("collected_at", "id")
