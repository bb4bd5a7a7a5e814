"""Bring template files into the database: those that come along, and an operator's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from datasync.access import Sight
from datasync.audit import Act, record_each
from datasync.choices import AuditAction, TemplateOrigin, TemplateState
from datasync.mapping.drafts import new_version, next_version, refuse_unknown_platforms
from datasync.mapping.publishing import publish
from datasync.mapping.rematch import offer
from datasync.mapping.store import add_published, family_of, to_template, variant_rows
from datasync.mapping.template import Family, InvalidTemplate, Template
from datasync.mapping.template_file import builtin_templates, load_templates
from datasync.mapping.versions import take_turns
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


class LoadAction(StrEnum):
    """What becomes of a template that comes along."""

    CREATED = "created"
    UPDATED = "updated"  # published as a newer version
    UNCHANGED = "unchanged"
    KEPT = "kept"  # an operator's version is left in its place


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What became of the templates that come along, by their names in their own order."""

    templates: tuple[tuple[str, LoadAction], ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many templates each thing became of."""
        found = Counter(action for _name, action in self.templates)
        return {action.value: found[action] for action in LoadAction}


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
def load_builtin_templates(
    *, force: bool = False, actor: AbstractBaseUser | None = None, dry_run: bool = False
) -> LoadResult:
    """Publish the built-in templates where they are new or differ from what was loaded before.

    Where an operator made the newest version of a variant, or archived it, it is left; ``force`` publishes the
    built-in one as a still newer version instead. Nothing is ever overwritten. Files that waited for one look again.
    """
    if not dry_run:
        ensure_platforms()
        take_turns(PLATFORMS)
    stored = list(_with_columns(HeaderTemplate.objects.all()))
    newest = {(family_of(row), row.variant): row for row in stored}
    done, wanted = list[tuple[str, LoadAction]](), list[Template]()
    for template in builtin_templates():
        action, version = _judge(template, newest.get((template.family, template.variant)), force=force)
        numbered = replace(template, version=version)
        done.append((numbered.name, action))
        if action in {LoadAction.CREATED, LoadAction.UPDATED}:
            wanted.append(numbered)
    if not dry_run:
        replaced = _publish_builtin(wanted, stored=stored, actor=actor)
        offer(list(dict.fromkeys(template.family for template in wanted)), replaced=replaced)
    return LoadResult(tuple(done))


def validate_file(path: Path) -> tuple[Template, ...]:
    """The templates of a data file; raises ``InvalidTemplate`` or ``KeyColumnMissing`` naming what is wrong."""
    return load_templates(path)


@transaction.atomic
def import_templates(
    templates: Iterable[Template],
    *,
    sight: Sight,
    actor: AbstractBaseUser | None = None,
    publish_now: bool = False,
    dry_run: bool = False,
) -> list[Imported]:
    """Make a new version of each template, all or none; what equals the published version is left as it is.

    Raises ``InvalidRequest`` for a platform that is not known and ``InvalidTemplate`` for a variant that stands there
    twice, in a dry run too, and ``LimitedToShops``.
    """
    sight.require_everything()
    action = ImportAction.PUBLISHED if publish_now else ImportAction.DRAFTED
    wanted, imported = list(templates), list[Imported]()
    _refuse_doubles(wanted)
    take_turns({template.family.platform for template in wanted})
    for template in wanted:
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


def _judge(template: Template, row: HeaderTemplate | None, *, force: bool) -> tuple[LoadAction, int]:
    """What is to become of a built-in template, and its version, where ``row`` is the newest of its variant."""
    if row is None:
        return LoadAction.CREATED, template.version
    if row.state == TemplateState.PUBLISHED and to_template(row) == replace(template, version=row.version):
        return LoadAction.UNCHANGED, row.version
    if _is_operators(row) and not force:
        return LoadAction.KEPT, row.version
    return LoadAction.UPDATED, row.version + 1


def _publish_builtin(
    templates: Sequence[Template], *, stored: Iterable[HeaderTemplate], actor: AbstractBaseUser | None
) -> list[int]:
    """Publish built-in templates, and write it down, in a few statements; the ids of what they take the place of."""
    published: dict[tuple[Family, str], list[int]] = defaultdict(list)
    for row in stored:
        if row.state == TemplateState.PUBLISHED:
            published[family_of(row), row.variant or "default"].append(row.pk)
    archived = [published[template.family, template.variant] for template in templates]
    replaced = [pk for pks in archived for pk in pks]
    HeaderTemplate.objects.filter(pk__in=replaced).update(state=TemplateState.ARCHIVED)
    rows = add_published(templates, origin=TemplateOrigin.BUILTIN)
    acts = [
        Act(template=row, detail={"template": str(row), "archived": pks, "origin": str(TemplateOrigin.BUILTIN)})
        for row, pks in zip(rows, archived, strict=True)
    ]
    record_each(AuditAction.TEMPLATE_PUBLISHED, actor=actor, acts=acts)
    return replaced


def _refuse_doubles(templates: Iterable[Template]) -> None:
    seen: set[tuple[Family, str]] = set()
    for template in templates:
        key = (template.family, template.variant)
        if key in seen:
            raise InvalidTemplate(problems=f"{template.family.key} {template.variant} stands there twice")
        seen.add(key)


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
