"""What a person still has to say of a file before its rows can be told from those of others."""

from __future__ import annotations

from collections.abc import Collection

from datasync.access import Sight
from datasync.exceptions import NeedsDescription
from datasync.fields import Domain
from datasync.mapping.selectors import family_of_file
from datasync.mapping.store import Shelf
from datasync.mapping.template import SCOPE_FIELDS, Family
from datasync.models import CatalogFile

_FAMILY = "platform, domain or granularity"
_DATES = frozenset({"period", "metric_date", "ordered_at", "posted_at"})
"""Columns that say in which period a row belongs."""
_NOT_A_STATEMENT = "modified"
"""The time at which a file last changed is no statement of when it was collected: copying it changes that."""


def description_error(file: CatalogFile, *, on: Shelf) -> NeedsDescription | None:
    """Why a file cannot be read into facts yet, judged by the template that was chosen for it, or the suggestion."""
    family = family_of_file(file)
    if family is None:
        return NeedsDescription(missing=_FAMILY)
    fields, identity = mapped_fields(file, on=on)
    return error_for(file, family, fields=fields, identity=identity, erps=on.erps)


def error_for(
    file: CatalogFile, family: Family, *, fields: Collection[str], identity: Collection[str], erps: Collection[str]
) -> NeedsDescription | None:
    """Why a file whose columns feed ``fields`` cannot be read yet.

    Without a shop the orders of two shops would be one: it must be known, or each row must name it. An ERP's own list
    of stock belongs to the account, unless who uploaded it was limited to shops. Likewise the dates of an identity that
    no column feeds.
    """
    missing = []
    if file.shop_id is None and "shop_label" not in fields and not _is_of_account(file, family, erps):
        missing.append("the shop")
    if dates_from_file(fields, identity) and file.period_start is None and not is_stamped(file):
        missing.append("the period, or when it was collected,")
    return NeedsDescription(missing=" and ".join(missing)) if missing else None


def mapped_fields(file: CatalogFile, *, on: Shelf) -> tuple[frozenset[str], tuple[str, ...]]:
    """The standard fields that the file's columns feed, and those that identify a row."""
    stored = on.by_id.get(file.template_id) if file.template_id else None
    if stored is not None:
        columns = stored.template.columns
        bound = file.match.get("binding")
        chosen = columns if bound is None else [columns[target] for target in bound.values()]
        return frozenset(column.field for column in chosen if column.field), stored.template.identity
    suggested = file.suggestion.get("columns", ())
    fields = frozenset(column["field"] for column in suggested if column["field"])
    return fields, tuple(file.suggestion.get("identity", ()))


def dates_from_file(fields: Collection[str], identity: Collection[str]) -> bool:
    """Whether a date that identifies a row comes from the file's description, because no column feeds it."""
    fed = set(fields) if _DATES.isdisjoint(fields) else {*fields, "period_start"}
    return any(name in SCOPE_FIELDS and name not in fed for name in identity)


def is_stamped(file: CatalogFile) -> bool:
    """Whether somebody, or the file's name, said when it was collected."""
    return file.collected_at is not None and file.description_sources.get("collected_at") != _NOT_A_STATEMENT


def _is_of_account(file: CatalogFile, family: Family, erps: Collection[str]) -> bool:
    """Whether the file may be an ERP's list of stock, whose rows are of no shop and so of all of them."""
    if family.domain is not Domain.INVENTORY or family.platform != family.source_platform:
        return False
    return family.platform in erps and not Sight.of_uploader(file).limited
