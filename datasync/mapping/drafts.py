"""Drafts: made anew, from a template, from a file; changed and thrown away until they are published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from datasync.audit import record
from datasync.choices import AuditAction, TemplateOrigin, TemplateState
from datasync.exceptions import InvalidRequest, TemplateNotDraft
from datasync.mapping.document import from_document, to_document
from datasync.mapping.store import add_template, family_of, to_template, variant_rows, write_content
from datasync.mapping.template import Template, check_template
from datasync.mapping.versions import find_template, locked
from datasync.models import HeaderTemplate, Platform

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Written = TypeVar("Written")
_ATTEMPTS = 20
"""Others who take a version number at the same moment; each takes one away once only."""


def new_version(
    template: Template, *, origin: TemplateOrigin, actor: AbstractBaseUser | None, notes: str = ""
) -> HeaderTemplate:
    """A draft with the next version number of its family and variant, whoever else makes one meanwhile.

    Raises ``InvalidTemplate`` or ``KeyColumnMissing`` for what cannot be a template, and ``InvalidRequest`` for a
    platform that is not known.
    """
    check_template(template)
    refuse_unknown_platforms(template)

    def add(numbered: Template) -> HeaderTemplate:
        row = add_template(numbered, origin=origin, state=TemplateState.DRAFT)
        row.created_by_id, row.notes = actor.pk if actor else None, notes
        row.save(update_fields=["created_by", "notes"])
        return row

    with transaction.atomic():
        row = _numbered(template, add)
        record(AuditAction.TEMPLATE_DRAFTED, actor=actor, template=row, detail={"template": str(row)})
    return row


def copy_as_draft(template_id: int, *, actor: AbstractBaseUser | None) -> HeaderTemplate:
    """A draft of the next version with the content of a template, to be corrected and published."""
    row = find_template(template_id)
    return new_version(to_template(row), origin=TemplateOrigin.OPERATOR, actor=actor, notes=row.notes)


@transaction.atomic
def replace_draft(
    template_id: int, template: Template, *, actor: AbstractBaseUser | None = None, notes: str | None = None
) -> HeaderTemplate:
    """Give a draft other content; in another family or variant it gets the next version number there.

    Raises ``TemplateNotDraft`` for what is published or archived: a correction of that is a new version.
    """
    return _rewrite(locked(template_id), template, actor=actor, notes=notes)


@transaction.atomic
def change_draft(
    template_id: int, changes: Mapping[str, Any], *, actor: AbstractBaseUser | None = None, notes: str | None = None
) -> HeaderTemplate:
    """Change what a document names of a draft; the rest stays, also what somebody else changes at the same moment.

    Raises what ``replace_draft`` raises.
    """
    row = locked(template_id)
    require_draft(row)
    changed = from_document(to_document(to_template(row)) | dict(changes))
    return _rewrite(row, changed, actor=actor, notes=notes)


@transaction.atomic
def delete_draft(template_id: int, *, actor: AbstractBaseUser | None = None) -> None:
    """Throw a draft away; raises ``TemplateNotDraft`` for anything else."""
    row = locked(template_id)
    require_draft(row)
    told = {"template": str(row), "template_id": row.pk}
    row.delete()
    record(AuditAction.TEMPLATE_DELETED, actor=actor, detail=told)


def require_draft(row: HeaderTemplate) -> None:
    """Raise ``TemplateNotDraft`` for a template that is published or archived."""
    if row.state != TemplateState.DRAFT:
        raise TemplateNotDraft(name=str(row), state=row.get_state_display())


def next_version(template: Template) -> int:
    """The first version number of a family and variant that is free at this moment."""
    known = HeaderTemplate.objects.filter(**variant_rows(template.family, template.variant))
    return (known.aggregate(last=Max("version"))["last"] or 0) + 1


def refuse_unknown_platforms(template: Template) -> None:
    """Raise ``InvalidRequest`` for a platform that the database does not know."""
    wanted = {template.family.platform, template.family.source_platform}
    known = set(Platform.objects.filter(code__in=wanted).values_list("code", flat=True))
    if wanted - known:
        unknown = {"codes": ", ".join(sorted(wanted - known))}
        raise InvalidRequest(detail=_("Unknown platform: %(codes)s. Add it first.") % unknown)


def _rewrite(
    row: HeaderTemplate, template: Template, *, actor: AbstractBaseUser | None, notes: str | None
) -> HeaderTemplate:
    """Write other content into a draft that is locked."""
    require_draft(row)
    check_template(template)
    refuse_unknown_platforms(template)
    before = to_template(row)
    if (family_of(row), row.variant or "default") == (template.family, template.variant):
        write_content(row, replace(template, version=row.version))
    else:
        _numbered(template, lambda numbered: write_content(row, numbered))
    if notes is not None:
        row.notes = notes
        row.save(update_fields=["notes"])
    told = {"template": str(row), "before": to_document(before), "after": to_document(template)}
    record(AuditAction.TEMPLATE_CHANGED, actor=actor, template=row, detail=told)
    return find_template(row.pk)


def _numbered(template: Template, write: Callable[[Template], Written]) -> Written:
    """Write a template under the next free version number; where somebody else takes that first, the one after it."""
    attempt = 0
    while True:
        attempt += 1
        try:
            with transaction.atomic():
                return write(replace(template, version=next_version(template)))
        except IntegrityError:
            if attempt == _ATTEMPTS:
                raise
