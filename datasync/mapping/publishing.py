"""Publish and archive templates: of a variant one version is in use, and what is published never changes.

Files that wait for their sync follow: they get the template that fits them now, or wait for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from datasync.access import EVERYTHING, Sight
from datasync.audit import record
from datasync.choices import AuditAction, TemplateState
from datasync.exceptions import TemplateOutdated
from datasync.mapping.drafts import require_draft
from datasync.mapping.rematch import Offered, offer, offer_others, unsynced_files, would_lose, would_match
from datasync.mapping.selectors import stored_for
from datasync.mapping.store import Stored, family_of, to_template
from datasync.mapping.template import Template, check_template
from datasync.mapping.versions import find_template, locked, published_of, take_turns
from datasync.models import HeaderTemplate

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True, slots=True)
class Publishing:
    """What publishing a draft does: versions that it archives, and files not synced yet that get it.

    ``losing`` files were to be synced by an archived version and fit no published one any more. ``deferred`` ones are
    looked at by a worker afterwards, because they are many or have to be read.
    """

    template: HeaderTemplate
    archived: tuple[HeaderTemplate, ...]
    files: int
    losing: int = 0
    deferred: int = 0


@dataclass(frozen=True, slots=True)
class Archiving:
    """What archiving a template does.

    ``pending_files``, not synced yet, lose it: ``rematched`` of them get another published template that fits,
    ``deferred`` ones are left to a worker, the others wait for a new one. ``other_variants`` are left in the family.
    """

    template: HeaderTemplate
    pending_files: int
    rematched: int
    deferred: int
    other_variants: int


def publish(template: HeaderTemplate, *, actor: AbstractBaseUser | None = None) -> HeaderTemplate:
    """Publish a draft, as ``publish_draft`` does, for who has seen to it that the person may."""
    return publish_draft(template.pk, actor=actor, sight=EVERYTHING).template


@transaction.atomic
def publish_draft(template_id: int, *, sight: Sight, actor: AbstractBaseUser | None = None) -> Publishing:
    """Publish a draft: it replaces the published version of the same variant, which is archived.

    Files of its family that waited for such a template, or were to be synced by the replaced one, get it and are
    pending. Of two that publish at once the second waits for the first. Raises ``TemplateNotDraft``,
    ``TemplateOutdated`` for a draft that is older than the published version, ``LimitedToShops``, and what a template
    may be wrong in.
    """
    sight.require_everything()
    take_turns([find_template(template_id).platform_id])
    row = locked(template_id)
    plain, archived = _publishable(row)
    published_of(row).update(state=TemplateState.ARCHIVED)
    row.state = TemplateState.PUBLISHED
    row.published_at = timezone.now()
    row.fingerprint = plain.fingerprint
    row.created_by_id = row.created_by_id or (actor.pk if actor else None)
    row.save(update_fields=["state", "published_at", "fingerprint", "created_by"])
    offered = offer([plain.family], template_id=row.pk, replaced=[one.pk for one in archived])
    told = {"template": str(row), "archived": [one.pk for one in archived], "files": offered.matched}
    told |= {"losing": offered.losing, "deferred": offered.deferred}
    record(AuditAction.TEMPLATE_PUBLISHED, actor=actor, template=row, detail=told)
    return Publishing(find_template(row.pk), archived, offered.matched, offered.losing, offered.deferred)


def publishing_of(template_id: int, *, sight: Sight) -> Publishing:
    """What publishing a draft would do now; raises what ``publish_draft`` raises."""
    sight.require_everything()
    row = find_template(template_id)
    plain, archived = _publishable(row)
    candidate = Stored(row.pk, plain, row.origin)
    offered = would_match(candidate, replaces=[one.pk for one in archived])
    return Publishing(row, archived, offered.matched, offered.losing, offered.deferred)


def archive(template: HeaderTemplate, *, actor: AbstractBaseUser | None = None) -> HeaderTemplate:
    """Take a template out of use, as ``archive_template`` does, for who has seen to it that the person may.

    The instance is brought up to date.
    """
    archive_template(template.pk, actor=actor, sight=EVERYTHING)
    template.refresh_from_db(fields=["state"])
    return template


@transaction.atomic
def archive_template(template_id: int, *, sight: Sight, actor: AbstractBaseUser | None = None) -> Archiving:
    """Take a template out of use; files that were read with it keep their rows.

    Files that were still to be synced by it get another published template that fits, or wait for one. A draft can be
    archived too, to keep it for its notes. What is archived already stays so, without another entry. Raises
    ``LimitedToShops``.
    """
    sight.require_everything()
    take_turns([find_template(template_id).platform_id])
    row = locked(template_id)
    if row.state == TemplateState.ARCHIVED:
        return _archiving(row, pending=0, offered=Offered())
    in_use = row.state == TemplateState.PUBLISHED
    pending = unsynced_files(row.pk).count() if in_use else 0
    row.state = TemplateState.ARCHIVED
    row.save(update_fields=["state"])
    impact = _archiving(row, pending=pending, offered=offer_others(row.pk) if pending else Offered())
    told = {"template": str(row), "pending_files": pending, "rematched": impact.rematched, "deferred": impact.deferred}
    record(AuditAction.TEMPLATE_ARCHIVED, actor=actor, template=row, detail=told)
    return impact


def archiving_of(template_id: int, *, sight: Sight) -> Archiving:
    """What archiving a template would do now; raises what ``archive_template`` raises."""
    sight.require_everything()
    row = find_template(template_id)
    pending = unsynced_files(row.pk).count() if row.state == TemplateState.PUBLISHED else 0
    return _archiving(row, pending=pending, offered=would_lose(row.pk) if pending else Offered())


def _publishable(row: HeaderTemplate) -> tuple[Template, tuple[HeaderTemplate, ...]]:
    """The content of a draft that can be published, and the versions that it would replace."""
    require_draft(row)
    replaced = tuple(published_of(row))
    newer = max((one for one in replaced if one.version > row.version), key=lambda one: one.version, default=None)
    if newer is not None:
        raise TemplateOutdated(name=str(row), newer=str(newer))
    plain = to_template(row)
    check_template(plain)
    return plain, replaced


def _archiving(row: HeaderTemplate, *, pending: int, offered: Offered) -> Archiving:
    others = [stored for stored in stored_for(family_of(row)) if stored.id != row.pk]
    return Archiving(row, pending, offered.matched, offered.deferred, len(others))
