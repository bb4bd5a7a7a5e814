"""Bring templates into the database: the built-in ones, a file's, an operator's. A published version never changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone

from datasync.choices import TemplateOrigin, TemplateState
from datasync.exceptions import InvalidRequest
from datasync.mapping.rematch import rematch_waiting_files
from datasync.mapping.store import add_template, family_of, family_rows, to_template
from datasync.mapping.template import Template, check_template
from datasync.mapping.template_file import builtin_templates, load_templates
from datasync.models import HeaderTemplate, Platform, TemplateColumn

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

PLATFORMS = {
    "shopee": "Shopee",
    "tiktok": "TikTok Shop",
    "miaoshou": "妙手 Miaoshou",
    "lazada": "Lazada",
    "amazon": "Amazon",
    "shopify": "Shopify",
}


@dataclass(slots=True)
class LoadResult:
    """How many templates were new, became a new version, were the same already, or were left to their operator."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0


def ensure_platforms() -> None:
    """Make the platforms that the product knows; what an operator changed in them stays."""
    Platform.objects.bulk_create(
        [Platform(code=code, name=name) for code, name in PLATFORMS.items()], ignore_conflicts=True
    )


@transaction.atomic
def load_builtin_templates(*, force: bool = False) -> LoadResult:
    """Publish the built-in templates where they are new or differ from what was loaded before.

    Where an operator made the newest version of a variant, or archived it, it is left; ``force`` publishes the
    built-in one as a still newer version instead. Nothing is ever overwritten.
    """
    ensure_platforms()
    newest = {(family_of(row), row.variant): row for row in _all_rows()}
    result = LoadResult()
    for template in builtin_templates():
        row = newest.get((template.family, template.variant))
        if row is None:
            _publish_version(template, origin=TemplateOrigin.BUILTIN)
            result.created += 1
        elif row.state == TemplateState.PUBLISHED and to_template(row) == replace(template, version=row.version):
            result.unchanged += 1
        elif _is_operators(row) and not force:
            result.kept += 1
        else:
            _publish_version(replace(template, version=row.version + 1), origin=TemplateOrigin.BUILTIN)
            result.updated += 1
    return result


def validate_file(path: Path) -> tuple[Template, ...]:
    """The templates of a data file; raises ``InvalidTemplate`` or ``KeyColumnMissing`` naming what is wrong."""
    return load_templates(path)


@transaction.atomic
def import_template(
    path: Path, *, actor: AbstractBaseUser | None = None, publish_now: bool = True
) -> list[HeaderTemplate]:
    """Make a new version of each template of a data file; what equals the published version is left as it is."""
    rows = []
    for template in load_templates(path):
        _refuse_unknown_platforms(template)
        same = _published_equal(template)
        if same is None:
            draft = new_version(template, origin=TemplateOrigin.OPERATOR, actor=actor)
            same = publish(draft, actor=actor) if publish_now else draft
        rows.append(same)
    return rows


def new_version(template: Template, *, origin: TemplateOrigin, actor: AbstractBaseUser | None) -> HeaderTemplate:
    """A draft with the next version number of its family and variant."""
    check_template(template)
    known = HeaderTemplate.objects.filter(**family_rows(template.family), variant=template.variant)
    last = known.order_by("-version").values_list("version", flat=True).first() or 0
    row = add_template(replace(template, version=last + 1), origin=origin, state=TemplateState.DRAFT)
    if actor is not None:
        HeaderTemplate.objects.filter(pk=row.pk).update(created_by=actor)
    return row


@transaction.atomic
def publish(template: HeaderTemplate, *, actor: AbstractBaseUser | None = None) -> HeaderTemplate:
    """Publish a draft: it replaces the published version of the same variant, which is archived.

    Files of its family that waited for such a template get it and are pending.
    """
    row = HeaderTemplate.objects.select_for_update().get(pk=template.pk)
    if row.state != TemplateState.DRAFT:
        raise InvalidRequest(detail=f"Only a draft can be published; this template is {row.state}.")
    plain = to_template(row)
    check_template(plain)
    _archive_published(plain)
    row.state = TemplateState.PUBLISHED
    row.published_at = timezone.now()
    row.fingerprint = plain.fingerprint
    row.created_by_id = row.created_by_id or (actor.pk if actor else None)
    row.save(update_fields=["state", "published_at", "fingerprint", "created_by"])
    rematch_waiting_files(row)
    return row


@transaction.atomic
def archive(template: HeaderTemplate) -> HeaderTemplate:
    """Take a template out of use; files that were read with it keep their rows."""
    HeaderTemplate.objects.filter(pk=template.pk).update(state=TemplateState.ARCHIVED)
    template.refresh_from_db(fields=["state"])
    return template


def _publish_version(template: Template, *, origin: TemplateOrigin) -> HeaderTemplate:
    _archive_published(template)
    row = add_template(template, origin=origin, state=TemplateState.PUBLISHED)
    row.published_at = timezone.now()
    row.save(update_fields=["published_at"])
    return row


def _archive_published(template: Template) -> None:
    same = HeaderTemplate.objects.filter(**family_rows(template.family), variant=template.variant)
    same.filter(state=TemplateState.PUBLISHED).update(state=TemplateState.ARCHIVED)


def _is_operators(row: HeaderTemplate) -> bool:
    return row.origin != TemplateOrigin.BUILTIN or row.state != TemplateState.PUBLISHED


def _published_equal(template: Template) -> HeaderTemplate | None:
    for row in _all_rows(**family_rows(template.family), variant=template.variant, state=TemplateState.PUBLISHED):
        if to_template(row) == replace(template, version=row.version):
            return row
    return None


def _all_rows(**conditions: object) -> Iterable[HeaderTemplate]:
    """Templates with their columns, oldest version first."""
    columns = Prefetch("columns", queryset=TemplateColumn.objects.order_by("position"))
    return HeaderTemplate.objects.filter(**conditions).prefetch_related(columns).order_by("version")


def _refuse_unknown_platforms(template: Template) -> None:
    wanted = {template.family.platform, template.family.source_platform}
    known = set(Platform.objects.filter(code__in=wanted).values_list("code", flat=True))
    if wanted - known:
        raise InvalidRequest(detail=f"Unknown platform: {', '.join(sorted(wanted - known))}. Add it first.")
