"""Publish and archive templates: of a variant one version is in use, and what is published never changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from datasync.audit import record
from datasync.choices import AuditAction, FileState, TemplateState
from datasync.mapping.drafts import require_draft
from datasync.mapping.rematch import MOST_AT_ONCE, offer, would_match
from datasync.mapping.selectors import stored_for
from datasync.mapping.store import Stored, family_of, to_template
from datasync.mapping.template import check_template
from datasync.mapping.versions import find_template, locked, published_of
from datasync.models import CatalogFile, HeaderTemplate

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True, slots=True)
class Publishing:
    """What publishing a draft does: versions that it archives, and waiting files that get it.

    ``deferred`` files wait in such number that a worker looks at them afterwards.
    """

    template: HeaderTemplate
    archived: tuple[HeaderTemplate, ...]
    files: int
    deferred: int = 0


@dataclass(frozen=True, slots=True)
class Archiving:
    """What archiving a template does: pending files whose template it is, and whether another variant is left."""

    template: HeaderTemplate
    pending_files: int
    other_variants: int


def publish(template: HeaderTemplate, *, actor: AbstractBaseUser | None = None) -> HeaderTemplate:
    """Publish a draft, as ``publish_draft`` does."""
    return publish_draft(template.pk, actor=actor).template


@transaction.atomic
def publish_draft(template_id: int, *, actor: AbstractBaseUser | None = None) -> Publishing:
    """Publish a draft: it replaces the published version of the same variant, which is archived.

    Files of its family that waited for such a template get it and are pending. Of two that publish at once the second
    waits for the first and archives its version. Raises ``TemplateNotDraft``, and what a template may be wrong in.
    """
    row = locked(template_id)
    require_draft(row)
    plain = to_template(row)
    check_template(plain)
    archived = tuple(published_of(row))
    published_of(row).update(state=TemplateState.ARCHIVED)
    row.state = TemplateState.PUBLISHED
    row.published_at = timezone.now()
    row.fingerprint = plain.fingerprint
    row.created_by_id = row.created_by_id or (actor.pk if actor else None)
    row.save(update_fields=["state", "published_at", "fingerprint", "created_by"])
    offered = offer([plain.family], template_id=row.pk)
    told = {"template": str(row), "archived": [one.pk for one in archived], "files": offered.matched}
    record(AuditAction.TEMPLATE_PUBLISHED, actor=actor, template=row, detail=told | {"deferred": offered.deferred})
    return Publishing(find_template(row.pk), archived, offered.matched, offered.deferred)


def publishing_of(template_id: int) -> Publishing:
    """What publishing a draft would do now; where many files wait, ``files`` is counted over the first of them."""
    row = find_template(template_id)
    require_draft(row)
    plain = to_template(row)
    check_template(plain)
    archived = tuple(published_of(row))
    candidate = Stored(row.pk, plain, row.origin)
    files, waiting = would_match([plain.family], candidate, replaces=[one.pk for one in archived])
    return Publishing(row, archived, files, max(0, waiting - MOST_AT_ONCE))


def archive(template: HeaderTemplate, *, actor: AbstractBaseUser | None = None) -> HeaderTemplate:
    """Take a template out of use, as ``archive_template`` does; the instance is brought up to date."""
    archive_template(template.pk, actor=actor)
    template.refresh_from_db(fields=["state"])
    return template


@transaction.atomic
def archive_template(template_id: int, *, actor: AbstractBaseUser | None = None) -> Archiving:
    """Take a template out of use; files that were read with it keep their rows.

    A draft can be archived too, to keep it for its notes. What is archived already stays so, without another entry.
    """
    row = locked(template_id)
    impact = _archiving(row)
    if row.state == TemplateState.ARCHIVED:
        return impact
    row.state = TemplateState.ARCHIVED
    row.save(update_fields=["state"])
    told = {"template": str(row), "pending_files": impact.pending_files}
    record(AuditAction.TEMPLATE_ARCHIVED, actor=actor, template=row, detail=told)
    return impact


def archiving_of(template_id: int) -> Archiving:
    """What archiving a template would do now."""
    return _archiving(find_template(template_id))


def _archiving(row: HeaderTemplate) -> Archiving:
    in_use = row.state == TemplateState.PUBLISHED
    files = CatalogFile.objects.filter(template=row.pk, state=FileState.PENDING).count() if in_use else 0
    family = family_of(row)
    others = [stored for stored in stored_for(family) if stored.id != row.pk]
    return Archiving(row, files, len(others))
