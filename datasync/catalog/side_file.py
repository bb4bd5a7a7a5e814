"""The side file ``NAME.meta.json`` that a collector writes beside an export."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

from datasync.catalog.description import Description, domain_of, granularity_of, sub_domain_of
from datasync.disk import open_regular

SUFFIX = ".meta.json"
LIMIT_BYTES = 256 * 1024


def names_of(name: str) -> tuple[str, str]:
    """The two names that the side file of ``name`` may have: with and without the export's own extension."""
    return f"{name}{SUFFIX}", f"{name.rpartition('.')[0] or name}{SUFFIX}"


def from_side_file(path: Path, *, platforms: Collection[str], erps: Collection[str], zone: tzinfo = UTC) -> Description:
    """What a side file says; a damaged or oversized one says nothing. ``erps`` are platforms that export for others.

    Collectors disagree on which of the two platforms they call "source": the one that exports for others is taken
    for the source platform, wherever it stands.
    """
    document = _document(path)
    business, collection = _table(document, "business_metadata"), _table(document, "collection_info")
    domain = domain_of(_text(business, "data_domain")) or domain_of(_text(business, "domain"))
    named = [_text(business, "platform"), _text(business, "source_platform"), _text(collection, "collection_platform")]
    codes = [code for code in (text.casefold() for text in named) if code in platforms]
    first, last = _day(business, "date_from"), _day(business, "date_to")
    ordered = first is not None and last is not None and first <= last
    return Description(
        platform=next((code for code in codes if code not in erps), codes[0] if codes else ""),
        source_platform=next((code for code in codes if code in erps), codes[-1] if codes else ""),
        domain=domain,
        sub_domain=sub_domain_of(_text(business, "sub_domain")),
        granularity=granularity_of(_text(business, "granularity")),
        shop_id=_text(business, "shop_id")[:100],
        shop_label=_text(business, "store_name")[:200],
        region=_text(business, "region").upper()[:8],
        currency=_text(business, "currency").upper()[:3],
        timezone=_text(business, "timezone")[:64],
        account=_text(collection, "account")[:200],
        period_start=first if ordered else None,
        period_end=last if ordered else None,
        collected_at=_moment(collection, "collected_at", zone),
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        with open_regular(path) as stream:
            text = stream.read(LIMIT_BYTES + 1)
        document = json.loads(text) if len(text) <= LIMIT_BYTES else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _text(table: dict[str, Any], name: str) -> str:
    value = table.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).replace("\0", "").encode("utf-8", "ignore").decode().strip()


def _day(table: dict[str, Any], name: str) -> date | None:
    try:
        return date.fromisoformat(_text(table, name)[:10])
    except ValueError:
        return None


def _moment(table: dict[str, Any], name: str, zone: tzinfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_text(table, name))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
