"""Many exports with orders of their own."""

from __future__ import annotations

from pathlib import Path

from datasync.access import EVERYTHING
from datasync.catalog.services import scan
from datasync.models import CatalogFile
from tests.test_runs_whole_way import HEADER, SHOP


def write_exports(inbox: Path, files: int, *, rows: int = 300, trial: int = 0, shops: int = 1) -> dict[int, list[str]]:
    """Catalogue so many English Shopee order exports; the order ids of each, by its file's primary key.

    Exports of different trials have nothing in common. They belong to ``shops`` in turn: files of one shop are loaded
    one after the other.
    """
    orders: dict[str, list[str]] = {}
    for number in range(files):
        name = f"shopee_orders_daily_20260306_{trial:03d}{number:03d}.csv"
        orders[name] = [f"T{trial}F{number}-{row}" for row in range(rows)]
        lines = (
            f"{order},Completed,TN{row},2026-03-06 13:16,2026-03-06 13:20,SKU-{row},Red,25.00,20.00,1,20.00,1.00,Ana"
            for row, order in enumerate(orders[name])
        )
        folder = inbox / (SHOP if shops == 1 else f"shopee/shopee_shop{number % shops}_sg")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    scan(sight=EVERYTHING)
    named = CatalogFile.objects.filter(original_name__in=orders).order_by("pk")
    return {pk: orders[name] for pk, name in named.values_list("pk", "original_name")}
