"""Facts with the keys that a sync would give them, for the tests that read them."""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from datasync.ingest.prepare.identity import scope_beginning
from datasync.models import FACT_MODELS, CatalogFile, Fact, HeaderSet, Platform, Shop
from tests.quarantine_rows import make_file

HEADERS = ["Order ID", "Amount", "", "Amount"]
COLLECTED = datetime(2026, 3, 6, 5, 16, 50, tzinfo=UTC)
_numbers = itertools.count(1)


def make_shop(shop_id: str, *, platform: str = "shopee") -> Shop:
    """A shop, and its platform."""
    of, _ = Platform.objects.get_or_create(code=platform, defaults={"name": platform})
    return Shop.objects.get_or_create(platform=of, shop_id=shop_id, defaults={"name": f"Shop {shop_id}"})[0]


def file_of(shop: Shop | None = None, **values: Any) -> CatalogFile:
    """A catalogued file of its own."""
    return make_file(
        f"export{next(_numbers)}.csv", **({"shop": shop, "platform": shop.platform} if shop else {}), **values
    )


def header_set() -> HeaderSet:
    """The header of all facts here."""
    return HeaderSet.objects.get_or_create(digest="|".join(HEADERS), defaults={"headers": HEADERS})[0]


def key_of(model: type[Fact], values: dict[str, Any], number: int) -> uuid.UUID:
    """The scope's beginning, and a hash of the number."""
    domain = next(name for name, known in FACT_MODELS.items() if known is model)
    beginning = scope_beginning(
        platform=values["platform_id"],
        domain=domain,
        sub_domain=values["sub_domain"],
        granularity=values["granularity"],
        shop_id=values["shop_id"],
    )
    return uuid.UUID(beginning + hashlib.sha256(str(number).encode()).hexdigest()[:24])


def unsaved(model: type[Fact], file: CatalogFile, **values: Any) -> Fact:
    """A fact of a file."""
    number = next(_numbers)
    told: dict[str, Any] = {"platform_id": file.platform_id, "shop_id": file.shop_id, "sub_domain": ""}
    told |= {"granularity": "daily", "period_start": date(2026, 3, 5), "period_end": date(2026, 3, 5)}
    told |= {"content_hash": uuid.uuid4(), "currency": "SGD", "collected_at": COLLECTED, "file_first": file}
    told |= {
        "file_last": file,
        "sheet_row": number,
        "first_sheet_row": number,
        "header_set": values.get("header_set") or header_set(),
    }
    told |= {"created_at": COLLECTED, "updated_at": COLLECTED, "raw": json.dumps([f"A{number}", "12.50", "x", "=1"])}
    told |= values
    told.setdefault("record_key", key_of(model, told, number))
    return model(**told)


def store(facts: Iterable[Fact]) -> list[Fact]:
    """Save facts of one domain, in as few statements as may be."""
    saved = list(facts)
    if saved:
        type(saved[0])._default_manager.bulk_create(saved, batch_size=500)
    return saved


def make(model: type[Fact], file: CatalogFile | None = None, **values: Any) -> Fact:
    """A stored fact."""
    return store([unsaved(model, file or file_of(), **values)])[0]
