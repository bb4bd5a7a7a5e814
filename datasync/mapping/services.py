"""From a catalogued file to the plan of its sync; and the doors to loading, suggesting and publishing templates.

A sync makes its plan in two steps: ``prepare_read`` says how to read the file, ``bind`` checks what the reader found
against the template and makes the plan. Neither reads the file; together they cost two queries when warm.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Any

from datasync.access import EVERYTHING, Sight
from datasync.at_hand import path_of
from datasync.exceptions import HeaderChanged, NeedsDescription, NoTemplate, UnsureMapping
from datasync.fields import Domain
from datasync.ingest.plan import Plan, ReadRequest, Scope, SheetInfo, ShopOf
from datasync.mapping.cleared import cleared_now
from datasync.mapping.drafts import (
    change_draft,
    copy_as_draft,
    delete_draft,
    new_version,
    replace_draft,
    require_draft,
)
from datasync.mapping.loading import (
    LoadResult,
    ensure_platforms,
    import_templates,
    load_builtin_templates,
    validate_file,
)
from datasync.mapping.match import Match, Outcome, match
from datasync.mapping.plan import make_plan
from datasync.mapping.publishing import (
    archive,
    archive_template,
    archiving_of,
    publish,
    publish_draft,
    publishing_of,
)
from datasync.mapping.rematch import recheck, recheck_soon, waiting_files
from datasync.mapping.selectors import family_of_file, sample_rows
from datasync.mapping.store import Shelf, Stored, family_of, held_shelf, shelf
from datasync.mapping.suggestions import publish_suggestion, suggest_for_file, suggested_template
from datasync.mapping.template import Family, Template
from datasync.mapping.template_file import read_templates
from datasync.mapping.undescribed import error_for, is_stamped, mapped_fields
from datasync.models import CatalogFile, HeaderSet, Shop, ShopAlias
from datasync.remarks import Remark, RemarkCode

__all__ = [
    "LoadResult",
    "ResolvedPlan",
    "SyncOptions",
    "archive",
    "archive_template",
    "archiving_of",
    "bind",
    "change_draft",
    "copy_as_draft",
    "delete_draft",
    "ensure_platforms",
    "header_set_id",
    "import_templates",
    "load_builtin_templates",
    "new_version",
    "prepare_read",
    "publish",
    "publish_draft",
    "publish_suggestion",
    "publishing_of",
    "read_templates",
    "recheck",
    "recheck_soon",
    "replace_draft",
    "require_draft",
    "suggest_for_file",
    "template_in_use",
    "validate_file",
    "waiting_files",
]

DEFAULT_ZONE = str(Shop._meta.get_field("timezone").get_default())


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """How strictly a sync keeps to published templates, and whether their header row or the detected one counts.

    A template's row counts only where its header really stands: otherwise the row in which it was found does.
    A dry run does not ``keep_header``: one that is new then has no id (0).
    """

    only_with_template: bool = True
    use_template_header_row: bool = True
    keep_header: bool = True


@dataclass(frozen=True, slots=True)
class ResolvedPlan:
    """The plan of a file. ``template_id`` is None when a suggestion was used; ``match`` is JSON for the catalogue."""

    plan: Plan
    read_request: ReadRequest
    template_id: int | None
    warnings: tuple[Remark, ...]
    match: dict[str, Any]


def prepare_read(file: CatalogFile, options: SyncOptions | None = None) -> ReadRequest:
    """How to read a file; an upload that is kept elsewhere has to be at hand.

    Raises ``NeedsDescription``, ``FileMissing``, ``NoTemplate`` when there is no template to read it by, and
    ``UnsureMapping`` when a suggestion may be used but is not sure of what identifies a row.
    """
    options, on = options or SyncOptions(), shelf()
    mapping = _mapping_of(file, options, on)
    chosen = mapping.template_id == file.template_id
    fields = mapped_fields(file, on=on)[0] if chosen else mapping.template.fields
    _require_description(file, mapping.template, fields, on)
    return _request(file, mapping, options)


def bind(file: CatalogFile, info: SheetInfo, options: SyncOptions | None = None) -> ResolvedPlan:
    """The plan for a sheet that was opened with the request of ``prepare_read``.

    Raises ``HeaderChanged`` with what is missing, added and renamed when the header no longer fits, and
    ``NeedsDescription`` when the columns that are there leave open which shop or date a row belongs to.
    """
    options = options or SyncOptions()
    plan, mapping, found = _bound(file, info.header, options, held_shelf())
    plan = replace(plan, cleared=cleared_now(file, info.header, plan, template_id=mapping.template_id))
    request = _request(file, mapping, options)
    return ResolvedPlan(
        plan=plan,
        read_request=request,
        template_id=mapping.template_id,
        warnings=_warnings(found, mapping, request),
        match=found.as_dict() | {"template_id": mapping.template_id},
    )


def bind_kept(file: CatalogFile, header: Sequence[str], options: SyncOptions | None = None) -> tuple[Plan, int | None]:
    """The plan for rows that are kept in the database and stood under ``header``, and the id of its template.

    The file itself is not needed. Raises what ``bind`` raises, and ``NoTemplate`` or ``UnsureMapping``.
    """
    plan, mapping, _found = _bound(file, header, options or SyncOptions(), shelf())
    return plan, mapping.template_id


def _bound(file: CatalogFile, header: Sequence[str], options: SyncOptions, on: Shelf) -> tuple[Plan, _Mapping, Match]:
    mapping = _mapping_of(file, options, on)
    judged = file.match.get("template_id") == mapping.template_id
    found = match(header, [mapping.template], sample_rows=() if judged else sample_rows(file))
    contradictions = file.match.get("contradictions") if judged else found.as_dict()["contradictions"]
    if not found.outcome.syncable and not found.contradictions:
        raise _header_changed(found)
    if contradictions:
        raise _contradicted(found, contradictions)
    plan = make_plan(
        found,
        template=mapping.template,
        info_header=header,
        scope=_scope(file, mapping.template),
        file_id=file.pk,
        header_set_id=header_set_id(header, keep=options.keep_header),
    )
    _require_description(file, mapping.template, {column.field for column in plan.columns if column.field}, on)
    return plan, mapping, found


def header_set_id(header: Sequence[str], *, keep: bool = True) -> int:
    """The primary key of a header as it stood in a file; each is stored once. 0: it is new and not to be kept."""
    texts = [text.replace("\0", "").encode("utf-8", "replace").decode() for text in header]
    digest = hashlib.sha256(json.dumps(texts, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
    known = HeaderSet.objects.filter(digest=digest).values_list("pk", flat=True).first()
    if known is not None or not keep:
        return known or 0
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


def template_in_use(file: CatalogFile) -> int | None:
    """The id of the published template by which a sync would read the file now; None while there is none."""
    family = family_of_file(file)
    stored = _published_for(file, family, shelf()) if family else None
    return stored.id if stored else None


def _published_for(file: CatalogFile, family: Family, on: Shelf) -> Stored | None:
    """The template that was chosen with sample values at hand; where that is archived, what has taken its place.

    That is the newer version of its variant, or else the variant that fits the values in the catalogue best.
    """
    candidates = on.by_family.get(family, ())
    chosen = next((stored for stored in candidates if stored.id == file.template_id), None)
    if chosen is not None or not candidates or not file.header:
        return chosen
    if file.template is not None and family_of(file.template) == family:
        variant = file.template.variant or "default"
        same = next((stored for stored in candidates if stored.template.variant == variant), None)
        if same is not None and match(file.header, [same.template]).outcome.syncable:
            return same
    found = match(file.header, [stored.template for stored in candidates], sample_rows=sample_rows(file))
    if found.outcome is Outcome.NONE:
        return None
    return next(stored for stored in candidates if stored.template is found.template)


def _require_description(file: CatalogFile, template: Template, fields: Collection[str], on: Shelf) -> None:
    missing = error_for(file, template.family, fields=fields, identity=template.identity, erps=on.erps)
    if missing is not None:
        raise missing


def _request(file: CatalogFile, mapping: _Mapping, options: SyncOptions) -> ReadRequest:
    template = mapping.template
    request = ReadRequest(
        path=path_of(file),
        header_row=template.header_row,
        header_rows=template.header_rows,
        data_row=template.data_row,
        sheet=template.sheet,
        expected_header=template.header,
    )
    detected = file.header_row
    if detected is None or detected == template.header_row:
        return request
    if options.use_template_header_row and not _was_found_there(file, mapping):
        return request
    moved = None if template.data_row is None else template.data_row + detected - template.header_row
    return replace(request, header_row=detected, data_row=moved)


def _was_found_there(file: CatalogFile, mapping: _Mapping) -> bool:
    """Whether the header in the detected row is the template's: then the template's own row holds something else."""
    if file.match.get("template_id") == mapping.template_id:
        return bool(Outcome(file.match["outcome"]).syncable)
    return match(file.header, [mapping.template]).outcome.syncable


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
        collected_at=_collected_at(file),
        currency=shop.currency if shop else "",
        timezone=shop.timezone if shop else DEFAULT_ZONE,
        shops=_labels_for(file, platform) if names_shop else {},
    )


def _collected_at(file: CatalogFile) -> datetime:
    """When the rows were true; a stock of a stated day is of that day, whenever the file was last changed."""
    if file.domain == Domain.INVENTORY and file.period_start and not is_stamped(file):
        return datetime.combine(file.period_end or file.period_start, time.max, tzinfo=UTC)
    return file.collected_at or file.modified_at


def _labels_for(file: CatalogFile, platform: str) -> dict[str, ShopOf]:
    """The labels that count in the file's rows.

    Where they say the shop of a row, it is one that the uploader saw, whoever loads the file: nobody writes into a
    shop that is kept from them by having others load their upload. In a file of one shop each other label contradicts.
    """
    sight = Sight.of_uploader(file) if file.shop_id is None else EVERYTHING
    return {label: shop for label, shop in shop_labels(platform).items() if sight.sees_shop(shop.pk)}


def shop_labels(platform: str) -> dict[str, ShopOf]:
    """Every text that names a shop of a platform in rows, its id, its name, its aliases, with the shop."""
    labels: dict[str, ShopOf] = {}
    shops: dict[int, ShopOf] = {}
    known = Shop.objects.filter(platform_id=platform)
    for pk, shop_id, name, currency, timezone in known.values_list("pk", "shop_id", "name", "currency", "timezone"):
        labels[shop_id] = shops[pk] = ShopOf(pk, currency, timezone)
        labels.setdefault(name or shop_id, shops[pk])
    for label, pk in ShopAlias.objects.filter(platform_id=platform).values_list("label", "shop_id"):
        if pk in shops:
            labels[label] = shops[pk]
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
    columns = ", ".join(f"{one['header']} ({one['reason']})" for one in contradictions)
    return HeaderChanged(missing=columns, added=list(found.added), missing_optional=list(found.missing), renamed=[])


def _warnings(found: Match, mapping: _Mapping, request: ReadRequest) -> tuple[Remark, ...]:
    """What an operator should know of a header that was synced although it differs."""
    remarks = []
    if mapping.template_id is None:
        remarks.append(Remark(RemarkCode.MAPPING_SUGGESTED))
    if request.header_row != mapping.template.header_row:
        rows = {"found": request.header_row + 1, "expected": mapping.template.header_row + 1}
        remarks.append(Remark(RemarkCode.HEADER_MOVED, rows))
    changed = {
        RemarkCode.COLUMNS_REWORDED: [f"{old} → {new}" for old, new in found.renamed],
        RemarkCode.COLUMNS_ADDED: found.added,
        RemarkCode.COLUMNS_GONE: found.missing,
    }
    remarks += [Remark(code, {"columns": ", ".join(columns)}) for code, columns in changed.items() if columns]
    return tuple(remarks)
