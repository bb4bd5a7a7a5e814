"""Templates and waiting files for the tests of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from datasync.choices import FileState, TemplateOrigin
from datasync.fields import FIELDS, Domain
from datasync.mapping.drafts import new_version
from datasync.mapping.template import Family, Template, TemplateColumn
from datasync.models import CatalogFile, HeaderTemplate, Platform
from tests.quarantine_rows import make_file

HEADER = ["Order ID", "SKU", "Quantity"]
FAMILY = Family("shopee", "shopee", Domain.ORDERS, "daily")
BODY: dict[str, Any] = {
    "platform": "shopee",
    "domain": "orders",
    "granularity": "daily",
    "identity": ["order_id", "sku"],
    "columns": [
        {"header": "Order ID", "field": "order_id", "required": True},
        {"header": "SKU", "field": "sku"},
        {"header": "Quantity", "field": "quantity"},
    ],
}


def template(*headers: str, **values: Any) -> Template:
    """A template of Shopee orders whose columns are order, SKU and quantity, under these headers."""
    columns = tuple(
        TemplateColumn(position, header, field, FIELDS[Domain.ORDERS][field].kind, required=not position)
        for position, (header, field) in enumerate(zip(headers or HEADER, ("order_id", "sku", "quantity"), strict=True))
    )
    return replace(Template(FAMILY, columns, ("order_id", "sku")), **values)


def draft(*headers: str, **values: Any) -> HeaderTemplate:
    """A draft of ``template``."""
    Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    return new_version(template(*headers, **values), origin=TemplateOrigin.OPERATOR, actor=None)


def waiting(root: Path, number: int = 1, *, header: list[str] | None = None, **values: Any) -> CatalogFile:
    """A file that no template fits, its bytes in ``root``, which has to be one of ``DATA_ROOTS``."""
    name = f"orders-{number}.csv"
    (root / name).write_text(",".join(header or HEADER))
    told: dict[str, Any] = {"header": header or HEADER, "state": FileState.PENDING, "root": str(root), "header_row": 0}
    return make_file(name, **{**told, **values})
