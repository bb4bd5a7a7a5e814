"""Order files with rows in quarantine, synced the whole way, for the tests of what people do about such rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, HeaderTemplate, OrderLine, QuarantinedRow
from datasync.quarantine.selectors import Filters
from tests.order_exports import HEADER, End, line, run, shop_folder, sync, text

__all__ = ["HEADER", "CatalogFile", "End", "Filters", "line", "run", "text"]
_NAME = "shopee_orders_daily_202603{day:02d}_100000.csv"
AMOUNT = "Deal Price"


@pytest.fixture
def inbox(tmp_path: Path, settings: Any) -> Path:
    """A shop's folder in a root of its own, with the built-in templates loaded."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return shop_folder(tmp_path)


def synced(inbox: Path, *lines: list[str], day: int = 6) -> CatalogFile:
    """A file of these lines, collected on that day of March, after its sync."""
    return sync(inbox / _NAME.format(day=day), text(lines).encode()).file


def bad(order_id: str, **changed: str) -> list[str]:
    """A line whose price is no number."""
    return line(order_id, **{"price": "abc", **changed})


def row_of(file: CatalogFile, sheet_row: int) -> QuarantinedRow:
    """The newest quarantined row of the file at that place."""
    return file.quarantined.filter(sheet_row=sheet_row).latest("pk")


def facts(*names: str, **conditions: Any) -> list[tuple[Any, ...]]:
    """These values of all order lines, or of those that meet the conditions, sorted."""
    return sorted(OrderLine.objects.filter(**conditions).values_list(*names), key=repr)


def of(*rows: QuarantinedRow) -> Filters:
    """Exactly these rows."""
    return Filters(ids=[row.pk for row in rows])


def tell_templates(**values: Any) -> None:
    """Change the published templates in place; processes read templates anew when one was published since."""
    HeaderTemplate.objects.update(**values, published_at=timezone.now())
