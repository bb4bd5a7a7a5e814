"""Bring template files into the database: those that come along, and an operator's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from datasync.audit import record
from datasync.choices import AuditAction, TemplateOrigin, TemplateState
from datasync.mapping.drafts import new_version, next_version, refuse_unknown_platforms
from datasync.mapping.publishing import publish
from datasync.mapping.rematch import offer
from datasync.mapping.store import add_template, family_of, to_template, variant_rows
from datasync.mapping.template import Family, Template
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


class ImportAction(StrEnum):
    """What becomes of a template of a file."""

    PUBLISHED = "published"
    DRAFTED = "drafted"
    UNCHANGED = "unchanged"  # the published version says the same


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one template of a file; ``row`` None: in a dry run, where there is something to do."""

    name: str
    action: ImportAction
    row: HeaderTemplate | None


def ensure_platforms() -> None:
    """Make the platforms that the product knows; what an operator changed in them stays."""
    Platform.objects.bulk_create(
        [Platform(code=code, name=name) for code, name in PLATFORMS.items()], ignore_conflicts=True
    )


@transaction.atomic
def load_builtin_templates(*, force: bool = False) -> LoadResult:
    """Publish the built-in templates where they are new or differ from what was loaded before.

    Where an operator made the newest version of a variant, or archived it, it is left; ``force`` publishes the
    built-in one as a still newer version instead. Nothing is ever overwritten. Files that waited for one look again.
    """
    ensure_platforms()
    everything = _with_columns(HeaderTemplate.objects.select_for_update())
    newest = {(family_of(row), row.variant): row for row in everything}
    result, touched = LoadResult(), dict[Family, None]()
    for template in builtin_templates():
        row = newest.get((template.family, template.variant))
        if row is None:
            _publish_builtin(template)
            result.created += 1
        elif row.state == TemplateState.PUBLISHED and to_template(row) == replace(template, version=row.version):
            result.unchanged += 1
            continue
        elif _is_operators(row) and not force:
            result.kept += 1
            continue
        else:
            _publish_builtin(replace(template, version=row.version + 1))
            result.updated += 1
        touched[template.family] = None
    offer(list(touched))
    return result


def validate_file(path: Path) -> tuple[Template, ...]:
    """The templates of a data file; raises ``InvalidTemplate`` or ``KeyColumnMissing`` naming what is wrong."""
    return load_templates(path)


def import_template(
    path: Path, *, actor: AbstractBaseUser | None = None, publish_now: bool = True
) -> list[HeaderTemplate]:
    """The templates that ``import_templates`` makes of a data file, or finds published already."""
    imported = import_templates(load_templates(path), actor=actor, publish_now=publish_now)
    return [one.row for one in imported if one.row is not None]


@transaction.atomic
def import_templates(
    templates: Iterable[Template],
    *,
    actor: AbstractBaseUser | None = None,
    publish_now: bool = False,
    dry_run: bool = False,
) -> list[Imported]:
    """Make a new version of each template, all or none; what equals the published version is left as it is.

    Raises ``InvalidRequest`` for a platform that is not known, in a dry run too.
    """
    action = ImportAction.PUBLISHED if publish_now else ImportAction.DRAFTED
    imported = []
    for template in templates:
        refuse_unknown_platforms(template)
        row = _published_equal(template)
        if row is not None:
            imported.append(Imported(to_template(row).name, ImportAction.UNCHANGED, row))
        elif dry_run:
            imported.append(Imported(replace(template, version=next_version(template)).name, action, None))
        else:
            row = new_version(template, origin=TemplateOrigin.OPERATOR, actor=actor)
            row = publish(row, actor=actor) if publish_now else row
            imported.append(Imported(to_template(row).name, action, row))
    return imported


def _publish_builtin(template: Template) -> None:
    """Publish a built-in template; where it takes the place of another, that is written down."""
    published = HeaderTemplate.objects.filter(**variant_rows(template.family, template.variant))
    published = published.filter(state=TemplateState.PUBLISHED)
    archived = list(published.values_list("pk", flat=True))
    published.update(state=TemplateState.ARCHIVED)
    row = add_template(template, origin=TemplateOrigin.BUILTIN, state=TemplateState.PUBLISHED)
    row.published_at = timezone.now()
    row.save(update_fields=["published_at"])
    if archived:
        told = {"template": str(row), "archived": archived}
        record(AuditAction.TEMPLATE_PUBLISHED, actor=None, template=row, detail=told)


def _is_operators(row: HeaderTemplate) -> bool:
    return row.origin != TemplateOrigin.BUILTIN or row.state != TemplateState.PUBLISHED


def _published_equal(template: Template) -> HeaderTemplate | None:
    same = HeaderTemplate.objects.filter(**variant_rows(template.family, template.variant))
    for row in _with_columns(same.filter(state=TemplateState.PUBLISHED)):
        if to_template(row) == replace(template, version=row.version):
            return row
    return None


def _with_columns(rows: QuerySet[HeaderTemplate]) -> QuerySet[HeaderTemplate]:
    """Templates with their columns, oldest version first."""
    columns = Prefetch("columns", queryset=TemplateColumn.objects.order_by("position"))
    return rows.prefetch_related(columns).order_by("version", "pk")
