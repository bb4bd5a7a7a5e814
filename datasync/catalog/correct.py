"""Correct a file's description by hand: what a person says outlives every later scan."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from datasync.access import Sight
from datasync.catalog import records
from datasync.catalog.again import look_again
from datasync.catalog.description import UPLOADER, Described
from datasync.choices import FILE_ACTIVE, ITEM_ACTIVE, DomainChoice, FileState, Granularity
from datasync.collection.services import note_collected
from datasync.exceptions import FileBusy, FileError, FileNotFound, InvalidRequest
from datasync.mapping.match import Outcome, match
from datasync.mapping.selectors import family_of_file, sample_rows, stored_for
from datasync.mapping.store import Shelf, shelf
from datasync.mapping.template import Family
from datasync.models import CatalogFile, Platform, Shop, SyncTaskFile

FIELDS = (
    "platform",
    "source_platform",
    "shop",
    "domain",
    "sub_domain",
    "granularity",
    "period_start",
    "period_end",
    "collected_at",
    "account",
)
_KEEP_STATE = (FileState.SOURCE_MISSING, FileState.FAILED)

Value = str | date | datetime | Platform | Shop | None


@transaction.atomic
def describe_file(file: CatalogFile, *, sight: Sight, **fields: Value) -> CatalogFile:
    """Correct fields of a file's description; it is matched anew and pending, as soon as it is described enough.

    Platforms may be given as codes, the shop as a row or, as ``shop_id``, by the platform's id of it. Raises
    ``InvalidRequest`` for what cannot go together and for a shop out of sight, and ``FileBusy`` while the file is being
    synced or its rows are typed again.
    """
    row = CatalogFile.objects.select_for_update().get(pk=file.pk)
    if row.state == FileState.DELETED or not sight.sees_file(row):
        raise FileNotFound(what=row.pk)
    active = SyncTaskFile.objects.filter(file=row, state__in=ITEM_ACTIVE).select_related("task").first()
    if active is not None or row.state in FILE_ACTIVE:  # a remap leaves the file's own state alone
        raise FileBusy(task_id=active.task.task_id if active else "")
    unknown = sorted(set(fields) - {*FIELDS, "shop_id"})
    if unknown:
        told = _("There is no such field: %(names)s.") % {"names": ", ".join(unknown)}
        raise InvalidRequest(detail=told, field=unknown[0])
    family = family_of_file(row)
    for name, value in sorted(fields.items(), key=lambda field: field[0] == "shop_id"):  # its platform comes first
        _set(row, name, value, sight)
    _check(row, sight)
    row.description_sources = {**row.description_sources, **dict.fromkeys(_source_names(fields), UPLOADER)}
    on = shelf()
    _match_anew(row, before=family, on=on)
    if row.state not in _KEEP_STATE:
        for name, value in records.standing(row, shelf=on).items():
            setattr(row, name, value)
    row.save()
    note_collected([row], sight=sight)
    for name in (field.name for field in CatalogFile._meta.concrete_fields):
        setattr(file, name, getattr(row, name))
    return file


def _set(row: CatalogFile, name: str, value: Value, sight: Sight) -> None:
    if name.endswith("platform") and (value is None or isinstance(value, str)):
        if value and not Platform.objects.filter(pk=value).exists():
            raise InvalidRequest(detail=_("Unknown platform: %(codes)s.") % {"codes": value}, field=name)
        setattr(row, f"{name}_id", value or None)
    elif name == "shop_id":
        row.shop = _shop(row.platform_id, str(value), sight) if value else None
    else:
        setattr(row, name, value)


def _shop(platform: str | None, shop_id: str, sight: Sight) -> Shop:
    shop = Shop.objects.filter(sight.shops(), platform=platform, shop_id=shop_id).first()
    if shop is None:
        whose = platform or _("a file without a platform")
        told = _("shop_id: %(platform)s has no shop %(shop_id)s.") % {"platform": whose, "shop_id": shop_id}
        raise InvalidRequest(detail=told, field="shop_id")
    return shop


def _check(row: CatalogFile, sight: Sight) -> None:
    if not sight.sees_file(row):
        raise InvalidRequest(detail=_("Name one of your shops."), field="shop_id")
    if row.platform_id and not row.source_platform_id:
        row.source_platform_id = row.platform_id
    if row.domain == DomainChoice.INVENTORY:
        row.granularity = Granularity.SNAPSHOT
    if row.sub_domain and row.domain != DomainChoice.SERVICES:
        raise InvalidRequest(detail=_("Only the domain services has sub-domains."), field="sub_domain")
    if row.granularity == Granularity.SNAPSHOT and row.domain not in {"", DomainChoice.INVENTORY}:
        raise InvalidRequest(detail=_("Only an inventory is a snapshot."), field="granularity")
    if row.shop is not None and row.shop.platform_id != row.platform_id:
        raise InvalidRequest(detail=_("The shop belongs to another platform."), field="shop_id")
    if row.period_start and row.period_end and row.period_end < row.period_start:
        raise InvalidRequest(detail=_("The period ends before it begins."), field="period_end")


def _source_names(fields: dict[str, Any]) -> list[str]:
    return ["shop_id" if name == "shop" else name for name in fields]


def _match_anew(row: CatalogFile, *, before: Family | None, on: Shelf) -> None:
    """Choose the template for what the file is now said to be.

    As long as its family stays, so does what was chosen with its values at hand. For another family its beginning is
    read again; where that cannot be, the header and the values that the catalogue holds decide.
    """
    told = records.description_of(row)
    values = records.description_values(Described(told), content_sha256=row.content_sha256, shop=row.shop)
    row.sha256 = values["sha256"]
    family = family_of_file(row)
    stored = stored_for(family, on=on) if family else ()
    if family == before and row.template_id in {None, *(one.id for one in stored)}:
        return
    if family is not None and row.format and _looked_again(row):
        return
    found = match(row.header, [one.template for one in stored], sample_rows=sample_rows(row)) if stored else None
    chosen = next((one for one in stored if found is not None and one.template is found.template), None)
    known = found is not None and found.outcome is not Outcome.NONE
    row.template_id = chosen.id if known and chosen else None
    row.match = {**found.as_dict(), "template_id": chosen.id} if found and known and chosen else {}


def _looked_again(row: CatalogFile) -> bool:
    """Whether the file could be examined anew for what it is said to be now."""
    try:
        look_again(row)
    except FileError:
        return False
    return True
