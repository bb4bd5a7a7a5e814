"""Look-ups of catalogued files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.utils import timezone

from datasync.access import Sight
from datasync.choices import FileState
from datasync.exceptions import FileNotFound
from datasync.mapping.in_use import HAS_PUBLISHED_TEMPLATE, HAS_TEMPLATE
from datasync.mapping.match import Outcome
from datasync.models import CatalogFile

_UNLISTED = (
    *("profile", "header", "match", "suggestion", "description_sources", "seen_shops"),
    *(f"template__{name}" for name in ("identity", "fingerprint", "notes", "created_at", "published_at")),
)
"""What takes long to read and no list shows, of a file and of its template, whose name is made of the rest."""
_LOOKUPS = {
    "platform": "platform",
    "domain": "domain",
    "sub_domain": "sub_domain",
    "granularity": "granularity",
    "status": "state",
    "shop": "shop__shop_id",
    "search": "original_name__icontains",
}
_BLOCKED = Q(state=FileState.TEMPLATE_UPDATE_REQUIRED) | Q(template_fit=Outcome.BLOCKED.value)
TEMPLATE_STATUS = {
    "matched": HAS_TEMPLATE & ~_BLOCKED,
    "missing": ~HAS_TEMPLATE & ~_BLOCKED,
    "update_required": _BLOCKED,
}
"""Whether a published template fits, by the word for it."""
_STATUS = Case(  # the same, with each condition asked once: the words exclude each other
    When(_BLOCKED, then=Value("update_required")),
    When(HAS_TEMPLATE, then=Value("matched")),
    default=Value("missing"),
    output_field=CharField(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What to look for; ``None`` asks for nothing. ``shop`` is the platform's own id of it."""

    platform: str | None = None
    domain: str | None = None
    sub_domain: str | None = None
    granularity: str | None = None
    status: str | None = None
    shop: str | None = None
    search: str | None = None
    template_status: str | None = None


def files(*, sight: Sight) -> QuerySet[CatalogFile]:
    """All files with their shop and template, newest first, without the bulky columns of their content."""
    rows = present_files(sight=sight).select_related("platform", "source_platform").defer("profile")
    return _shown(rows)


def present_files(*, sight: Sight) -> QuerySet[CatalogFile]:
    """The files that nobody has deleted: what every door looks among."""
    return CatalogFile.objects.filter(sight.files()).exclude(state=FileState.DELETED)


def matching_files(filters: Filters, *, sight: Sight) -> QuerySet[CatalogFile]:
    """The files that are asked for, newest first. Deleted ones are found by their status alone."""
    wanted: dict[str, Any] = {
        lookup: value for name, lookup in _LOOKUPS.items() if (value := getattr(filters, name)) is not None
    }
    deleted = filters.status == FileState.DELETED
    among = CatalogFile.objects.filter(sight.files()) if deleted else present_files(sight=sight)
    found = among.filter(**wanted)
    return found.filter(TEMPLATE_STATUS[filters.template_status]) if filters.template_status else found


def listed(files: QuerySet[CatalogFile]) -> QuerySet[CatalogFile]:
    """The same with what a list shows of each."""
    return _shown(files).defer(*_UNLISTED)


def file_by_id(file_id: int, *, sight: Sight) -> CatalogFile:
    """The file with that id; raises ``FileNotFound``, for a deleted one too."""
    file = files(sight=sight).filter(pk=file_id).first()
    if file is None:
        raise FileNotFound(what=file_id)
    return file


def pending_files(
    *,
    sight: Sight,
    platform: str | None = None,
    domains: Collection[str] = (),
    granularities: Collection[str] = (),
    since_hours: int | None = None,
    with_template_only: bool = False,
) -> QuerySet[CatalogFile]:
    """Files that wait for a sync, oldest collection first; ``since_hours`` counts from when they were first seen.

    For whoever is limited to shops, files of these alone. An older export goes first, so that the newer one of the same
    period has the last word.
    """
    rows = CatalogFile.objects.filter(sight.files_to_load(), state=FileState.PENDING)
    if platform:
        rows = rows.filter(platform_id=platform)
    if domains:
        rows = rows.filter(domain__in=domains)
    if granularities:
        rows = rows.filter(granularity__in=granularities)
    if since_hours is not None:
        rows = rows.filter(first_seen_at__gte=timezone.now() - timedelta(hours=since_hours))
    if with_template_only:
        rows = rows.filter(HAS_PUBLISHED_TEMPLATE)
    return rows.order_by("collected_at", "id")


def template_status(file: CatalogFile) -> str:
    """Which condition of ``TEMPLATE_STATUS`` a file meets; asked of a file of this module, it costs no query."""
    told: str | None = getattr(file, "template_status", None)
    return told or CatalogFile.objects.annotate(told=_STATUS).values_list("told", flat=True).get(pk=file.pk)


def _shown(rows: QuerySet[CatalogFile]) -> QuerySet[CatalogFile]:
    return rows.select_related("shop", "template").annotate(template_status=_STATUS)
