"""Header templates as rows: found, listed, and locked where two people could change what is current."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet

from datasync.choices import TemplateState
from datasync.exceptions import TemplateNotFound
from datasync.mapping.store import family_of, family_rows, to_template, variant_rows
from datasync.mapping.template_file import dump_template
from datasync.models import HeaderTemplate, Platform, TemplateColumn

_LOOKUPS = {
    "platform": "platform",
    "source_platform": "source_platform",
    "domain": "domain",
    "sub_domain": "sub_domain",
    "granularity": "granularity",
    "state": "state",
    "variant": "variant",
}


def listed(rows: QuerySet[HeaderTemplate]) -> QuerySet[HeaderTemplate]:
    """The same with their number of columns, without the columns themselves."""
    return rows.select_related("created_by").annotate(column_count=Count("columns"))


def filter_templates(rows: QuerySet[HeaderTemplate], query: dict[str, Any]) -> QuerySet[HeaderTemplate]:
    """The templates that fit; ``search`` is part of a variant's name, of a header or of the notes."""
    found = rows.filter(**{lookup: query[name] for name, lookup in _LOOKUPS.items() if query.get(name)})
    if text := query.get("search"):
        headers = TemplateColumn.objects.filter(header__icontains=text).values("template")
        found = found.filter(Q(variant__icontains=text) | Q(notes__icontains=text) | Q(pk__in=headers))
    return found


def find_template(template_id: int) -> HeaderTemplate:
    """The template with that id and its columns; raises ``TemplateNotFound``."""
    columns = Prefetch("columns", queryset=TemplateColumn.objects.order_by("position"))
    row = HeaderTemplate.objects.select_related("created_by").prefetch_related(columns).filter(pk=template_id).first()
    if row is None:
        raise TemplateNotFound(what=template_id)
    return row


def history(row: HeaderTemplate) -> QuerySet[HeaderTemplate]:
    """Every version and variant of a template's family, variant by variant, the newest version first."""
    return HeaderTemplate.objects.filter(**family_rows(family_of(row))).order_by("variant", "-version")


def published_of(row: HeaderTemplate) -> QuerySet[HeaderTemplate]:
    """The version of a template's variant that is in use; more than one only where somebody went past the rules."""
    same = HeaderTemplate.objects.filter(**variant_rows(family_of(row), row.variant or "default"))
    return same.filter(state=TemplateState.PUBLISHED)


def locked(template_id: int) -> HeaderTemplate:
    """The template, every version of its variant locked until the transaction ends; raises ``TemplateNotFound``.

    Versions are locked in the order of their ids, so that two callers wait for each other and never lock both out.
    """
    while True:  # until nobody has moved the draft to another variant between the look and the lock
        told = find_template(template_id)
        same = HeaderTemplate.objects.filter(**variant_rows(family_of(told), told.variant or "default")).order_by("pk")
        rows = {row.pk: row for row in same.select_for_update()}
        if template_id in rows:
            return rows[template_id]


def take_turns(platforms: Collection[str]) -> None:
    """Let one caller at a time number and publish templates of these platforms, until its transaction ends.

    Taken before any template or file is locked. Facts and files that refer to the platforms are not held up.
    """
    rows = Platform.objects.select_for_update(no_key=True).filter(code__in=platforms).order_by("code")
    list(rows.values_list("code"))


def exported(row: HeaderTemplate) -> tuple[str, str]:
    """The name and the text of the file that a template is exported as; importing it makes an equal template."""
    parts = (*family_rows(family_of(row)).values(), row.variant, f"v{row.version}")
    words = (re.sub(r"[^A-Za-z0-9.-]+", "-", str(part)).strip("-.") for part in parts)
    return f"{'_'.join(word for word in words if word)}.toml", dump_template(to_template(row))
