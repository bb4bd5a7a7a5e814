"""From what is known of a file to the values of its catalogue row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from datasync.access import Sight
from datasync.catalog.description import MODIFIED, UPLOADER, Described, Description
from datasync.catalog.examine import Examination
from datasync.catalog.shops import ShopBook
from datasync.catalog.walk import Found
from datasync.choices import FILE_SYNCED, FileState, Granularity
from datasync.disk import identity_hash
from datasync.exceptions import FileMissing, SyncError
from datasync.mapping.store import Shelf
from datasync.mapping.undescribed import dates_from_file, description_error, mapped_fields
from datasync.models import CatalogFile, Shop

_SIDE_STAMP = "side_file_stamp"
_TOLD_FIELDS = ("platform", "source_platform", "domain", "sub_domain", "granularity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a file lies and under which name people know it."""

    root: str
    found: Found
    original_name: str

    def values(self) -> dict[str, Any]:
        """The row's values that follow from the place and the file's stamp."""
        return {
            "root": self.root,
            "storage_name": self.found.name,
            "original_name": self.original_name[:500],
            "size": self.found.stamp.size,
            "modified_at": self.found.stamp.modified_at,
        }


def content_values(
    place: Place,
    examination: Examination,
    *,
    content_sha256: str,
    uploaded_by_id: int | None,
    sight: Sight,
    shops: ShopBook,
    shelf: Shelf,
) -> dict[str, Any]:
    """All values of the row of new content: it was never synced, whatever lay there before.

    ``sight`` is that of whoever brings it: its rows are of shops in it.
    """
    described = examination.described
    values = {
        **place.values(),
        **examination.values,
        **description_values(described, content_sha256=content_sha256, shop=shops.shop_for(described.description)),
        "description_sources": sources_of(described, place.found),
        "content_sha256": content_sha256,
        "uploaded_by_id": uploaded_by_id,
        "seen_shops": sight.seen_shops,
        "rows": {},
    }
    return values | standing(CatalogFile(**values), shelf=shelf, error=examination.error)


def description_values(described: Described, *, content_sha256: str, shop: Shop | None) -> dict[str, Any]:
    """The values of the row that follow from its description."""
    told = described.description
    return {
        "platform_id": told.platform or None,
        "source_platform_id": told.source_platform or None,
        "shop": shop,
        "domain": told.domain,
        "sub_domain": told.sub_domain,
        "granularity": told.granularity,
        "period_start": told.period_start,
        "period_end": told.period_end,
        "collected_at": told.collected_at,
        "account": told.account[:200],
        "sha256": identity_hash(
            platform=told.platform, shop_id=shop.shop_id if shop else "", content_sha256=content_sha256
        ),
    }


def sources_of(described: Described, found: Found) -> dict[str, str]:
    """Who said what, with the stamp of the side file, so that a new one is noticed."""
    return {**described.sources, **({_SIDE_STAMP: found.side_stamp} if found.side_stamp else {})}


def side_stamp_of(row: CatalogFile) -> str:
    """The stamp of the side file that the row's description comes from."""
    return str(row.description_sources.get(_SIDE_STAMP, ""))


def told_by_people(row: CatalogFile) -> Description | None:
    """What a person said of the file: it outlives new content at the same place."""
    sources = row.description_sources
    told: dict[str, Any] = {
        name: getattr(row, f"{name}_id" if name.endswith("platform") else name) or ""
        for name in _TOLD_FIELDS
        if sources.get(name) == UPLOADER
    }
    if row.shop is not None and UPLOADER in {sources.get("shop_id"), sources.get("shop_label")}:
        told["shop_id"] = row.shop.shop_id
    return Description(**told) if told else None


def description_of(row: CatalogFile) -> Description:
    """What the catalogue says that the file holds; the shop is kept as the row's own."""
    return Description(
        platform=row.platform_id or "",
        source_platform=row.source_platform_id or "",
        domain=row.domain,
        sub_domain=row.sub_domain,
        granularity=row.granularity,
        period_start=row.period_start,
        period_end=row.period_end,
        collected_at=row.collected_at,
        account=row.account,
    )


def standing(row: CatalogFile, *, shelf: Shelf, error: SyncError | None = None) -> dict[str, Any]:
    """State and last error of content that was never synced; ``error`` says that it could not be read."""
    if error is not None:
        return {"state": FileState.FAILED, "last_error": error.document}
    missing = description_error(row, on=shelf)
    if missing is not None:
        return {"state": FileState.NEEDS_DESCRIPTION, "last_error": missing.document}
    return {"state": FileState.PENDING, "last_error": {}}


def returned_values(row: CatalogFile, *, shelf: Shelf) -> dict[str, Any]:
    """The values of a row whose file is back: synced if it was so before it went missing."""
    before = row.last_error.get("params", {}).get("state", "")
    return {"state": before, "last_error": {}} if before in FILE_SYNCED else standing(row, shelf=shelf)


def missing_document(state: str) -> dict[str, Any]:
    """The error of a file that is gone, with the state in which it was before."""
    return {**FileMissing().document, "params": {"state": state}}


def is_same_export(row: CatalogFile, described: Described, *, shops: ShopBook, shelf: Shelf, sight: Sight) -> bool:
    """Whether equal bytes under this description are the row's export, under another name.

    The same bytes of two shops are two files; so are two snapshots of a stock that did not change meanwhile, and two
    reports that have their date from the moment of their collection alone.
    """
    told = described.description
    row_platforms = {row.platform_id, row.source_platform_id}
    if told.platform and row.platform_id and told.platform not in row_platforms:
        return False
    pairs = ((told.domain, row.domain), (told.sub_domain, row.sub_domain), (told.granularity, row.granularity))
    if any(said and known and said != known for said, known in pairs):
        return False
    if (
        told.period_start
        and row.period_start
        and (told.period_start, told.period_end)
        != (
            row.period_start,
            row.period_end,
        )
    ):
        return False
    stamped = described.sources.get("collected_at") != MODIFIED
    if stamped and told.collected_at != row.collected_at and _is_dated_by_stamp(row, told, shelf):
        return False
    return _is_same_shop(row, told, shops=shops, shelf=shelf, sight=sight)


def _is_dated_by_stamp(row: CatalogFile, told: Description, shelf: Shelf) -> bool:
    """Whether the moment of collection is all that says to which date the rows belong."""
    if row.granularity == Granularity.SNAPSHOT:
        return True
    return told.period_start is None and dates_from_file(*mapped_fields(row, on=shelf))


def _is_same_shop(row: CatalogFile, told: Description, *, shops: ShopBook, shelf: Shelf, sight: Sight) -> bool:
    """Whether the shops agree; a file of which no shop is told is not one whose uploader saw fewer shops."""
    if not (told.shop_id or told.shop_label):
        return row.shop_id is None or row.seen_shops in (None, sight.seen_shops)
    if not told.platform or told.platform in shelf.erps:
        return row.shop_id is None
    shop = shops.find(told)
    return shop is not None and shop.pk == row.shop_id
