"""From a catalogued file to the plan of its sync; and the doors to loading, suggesting and publishing templates.

A sync makes its plan in two steps: ``prepare_read`` says how to read the file, ``bind`` checks what the reader found
against the template and makes the plan. Neither reads the file; together they cost two queries when warm.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from datasync.disk import place
from datasync.exceptions import HeaderChanged, NeedsDescription, NoTemplate, UnsureMapping
from datasync.ingest.plan import Plan, ReadRequest, Scope, SheetInfo
from datasync.mapping.match import Match, Outcome, match
from datasync.mapping.plan import make_plan
from datasync.mapping.publishing import (
    LoadResult,
    archive,
    ensure_platforms,
    import_template,
    load_builtin_templates,
    new_version,
    publish,
    validate_file,
)
from datasync.mapping.selectors import family_of_file
from datasync.mapping.store import Shelf, Stored, held_shelf, shelf
from datasync.mapping.suggestions import publish_suggestion, suggest_for_file, suggested_template
from datasync.mapping.template import Family, Template
from datasync.models import CatalogFile, HeaderSet, Shop, ShopAlias

__all__ = [
    "LoadResult",
    "ResolvedPlan",
    "SyncOptions",
    "archive",
    "bind",
    "ensure_platforms",
    "header_set_id",
    "import_template",
    "load_builtin_templates",
    "new_version",
    "prepare_read",
    "publish",
    "publish_suggestion",
    "suggest_for_file",
    "validate_file",
]

DEFAULT_ZONE = str(Shop._meta.get_field("timezone").get_default())


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """How strictly a sync keeps to published templates, and whether their header row or the detected one counts."""

    only_with_template: bool = True
    use_template_header_row: bool = True


@dataclass(frozen=True, slots=True)
class ResolvedPlan:
    """The plan of a file. ``template_id`` is None when a suggestion was used; ``match`` is JSON for the catalogue."""

    plan: Plan
    read_request: ReadRequest
    template_id: int | None
    warnings: tuple[str, ...]
    match: dict[str, Any]


def prepare_read(file: CatalogFile, options: SyncOptions | None = None) -> ReadRequest:
    """How to read a file.

    Raises ``NeedsDescription``, ``FileMissing``, ``NoTemplate`` when there is no template to read it by, and
    ``UnsureMapping`` when a suggestion may be used but is not sure of what identifies a row.
    """
    return _request(file, _mapping_of(file, options or SyncOptions(), shelf()), options or SyncOptions())


def bind(file: CatalogFile, info: SheetInfo, options: SyncOptions | None = None) -> ResolvedPlan:
    """The plan for a sheet that was opened with the request of ``prepare_read``.

    Raises ``HeaderChanged`` with what is missing, added and renamed when the header no longer fits.
    """
    options = options or SyncOptions()
    mapping = _mapping_of(file, options, held_shelf())
    found = match(info.header, [mapping.template])
    stored = file.match if file.match.get("template_id") == mapping.template_id else {}
    if not found.outcome.syncable:
        raise _header_changed(found)
    if stored.get("contradictions"):
        raise _contradicted(found, stored["contradictions"])
    plan = make_plan(
        found,
        template=mapping.template,
        info_header=info.header,
        scope=_scope(file, mapping.template),
        file_id=file.pk,
        header_set_id=header_set_id(info.header),
    )
    return ResolvedPlan(
        plan=plan,
        read_request=_request(file, mapping, options),
        template_id=mapping.template_id,
        warnings=_warnings(found, mapping),
        match=found.as_dict() | {"template_id": mapping.template_id},
    )


def header_set_id(header: Sequence[str]) -> int:
    """The primary key of a header as it stood in a file; each is stored once."""
    texts = [text.replace("\0", "").encode("utf-8", "replace").decode() for text in header]
    digest = hashlib.sha256(json.dumps(texts, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
    known = HeaderSet.objects.filter(digest=digest).values_list("pk", flat=True).first()
    if known is not None:
        return known
    return HeaderSet.objects.get_or_create(digest=digest, defaults={"headers": texts})[0].pk


@dataclass(frozen=True, slots=True)
class _Mapping:
    """The template by which a file is read, published or suggested."""

    template: Template
    template_id: int | None


def _mapping_of(file: CatalogFile, options: SyncOptions, on: Shelf) -> _Mapping:
    family = family_of_file(file)
    if family is None:
        raise NeedsDescription
    stored = _published_for(file, family, on)
    if stored is not None:
        return _Mapping(stored.template, stored.id)
    if options.only_with_template:
        raise NoTemplate
    if not file.suggestion or file.suggestion.get("domain") != file.domain:
        raise NoTemplate
    if not file.suggestion["sure"]:
        raise UnsureMapping
    return _Mapping(suggested_template(file.suggestion, family=family), None)


def _published_for(file: CatalogFile, family: Family, on: Shelf) -> Stored | None:
    """The template that was chosen with sample values at hand; where that is archived, the one that fits best now."""
    candidates = on.by_family.get(family, ())
    chosen = next((stored for stored in candidates if stored.id == file.template_id), None)
    if chosen is not None or not candidates or not file.header:
        return chosen
    found = match(file.header, [stored.template for stored in candidates])
    if found.outcome is Outcome.NONE:
        return None
    return next(stored for stored in candidates if stored.template is found.template)


def _request(file: CatalogFile, mapping: _Mapping, options: SyncOptions) -> ReadRequest:
    template = mapping.template
    request = ReadRequest(
        path=place(file.root, file.storage_name),
        header_row=template.header_row,
        header_rows=template.header_rows,
        data_row=template.data_row,
        sheet=template.sheet,
        expected_header=template.header,
    )
    detected = file.header_row
    if options.use_template_header_row or detected is None or detected == template.header_row:
        return request
    moved = None if template.data_row is None else template.data_row + detected - template.header_row
    return replace(request, header_row=detected, data_row=moved)


def _scope(file: CatalogFile, template: Template) -> Scope:
    shop = file.shop
    platform = template.family.platform
    names_shop = "shop_label" in template.fields
    return Scope(
        platform=platform,
        shop_id=shop.pk if shop else None,
        domain=template.family.domain,
        sub_domain=file.sub_domain,
        granularity=file.granularity,
        period_start=file.period_start,
        period_end=file.period_end,
        collected_at=file.collected_at or file.modified_at,
        currency=shop.currency if shop else "",
        timezone=shop.timezone if shop else DEFAULT_ZONE,
        shops=shop_labels(platform) if shop is None and names_shop else {},
    )


def shop_labels(platform: str) -> dict[str, int]:
    """Every text that names a shop of a platform in rows: its id, its name, its aliases."""
    labels: dict[str, int] = {}
    for pk, shop_id, name in Shop.objects.filter(platform_id=platform).values_list("pk", "shop_id", "name"):
        labels[shop_id] = pk
        labels.setdefault(name or shop_id, pk)
    labels.update(ShopAlias.objects.filter(platform_id=platform).values_list("label", "shop_id"))
    return labels


def _header_changed(found: Match) -> HeaderChanged:
    needed = found.missing_required or found.missing or ("its columns",)
    return HeaderChanged(
        missing=", ".join(needed),
        added=list(found.added),
        missing_optional=list(found.missing),
        renamed=[list(pair) for pair in (*found.renamed, *found.likely_renamed)],
    )


def _contradicted(found: Match, contradictions: list[dict[str, Any]]) -> HeaderChanged:
    columns = ", ".join(f"{one['header']} (its values are no {one['kind']})" for one in contradictions)
    return HeaderChanged(missing=columns, added=list(found.added), missing_optional=list(found.missing), renamed=[])


def _warnings(found: Match, mapping: _Mapping) -> tuple[str, ...]:
    """What an operator should know of a header that was synced although it differs."""
    notes = []
    if mapping.template_id is None:
        notes.append("No template fits; the suggested mapping was used.")
    if found.renamed:
        pairs = (f"{old} → {new}" for old, new in found.renamed)
        notes.append(f"Reworded columns: {', '.join(pairs)}")
    if found.added:
        notes.append(f"New columns, kept with the original row: {', '.join(found.added)}")
    if found.missing:
        notes.append(f"Optional columns gone: {', '.join(found.missing)}")
    return tuple(notes)
