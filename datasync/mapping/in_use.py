"""Whether a file has a template, as a condition: one that is published, not one that was taken out of use.

A file that is still to be synced needs a published template itself. One that was synced was read by the version of its
day, and stands as long as its variant has a published version.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from datasync.choices import FILE_UNSYNCED, TemplateState
from datasync.models import HeaderTemplate

_VARIANT = ("platform", "source_platform", "domain", "sub_domain", "granularity", "variant")
_PUBLISHED = HeaderTemplate.objects.filter(state=TemplateState.PUBLISHED)
_REPLACED = HeaderTemplate.objects.filter(
    Exists(_PUBLISHED.filter(**{name: OuterRef(name) for name in _VARIANT}).values("pk")),
    state=TemplateState.ARCHIVED,
)

HAS_PUBLISHED_TEMPLATE = Q(template__in=_PUBLISHED.values("pk"))
"""Files that would be synced by the template that was chosen for them."""

HAS_TEMPLATE = HAS_PUBLISHED_TEMPLATE | (~Q(state__in=FILE_UNSYNCED) & Q(template__in=_REPLACED.values("pk")))
"""Files that a published template is for: the one chosen for them, or what has replaced that since their sync."""
