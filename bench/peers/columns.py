"""The columns of the benchmarks' export, as somebody would name and type them for a table of his own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl

from datasync.samples.bench import BENCH_COLUMNS

TABLE = "peer_orders"
KEY = ("order_id", "sku")
TITLE_ROWS = 1
MOMENT = "%Y-%m-%d %H:%M:%S"
_NAMES = (
    "order_id", "ordered_at", "sku", "status", "quantity", "shop", "amount_cny", "amount", "profit_cny", "profit",
    "paid_cny", "paid", "product_id", "sku_id", "title", "variation", "product_name", "after_sale", "warehouse",
    "paid_at", "shipped_at", "payout_cny", "list_price", "package_id",
)  # fmt: skip
NAMES = dict(zip(BENCH_COLUMNS, _NAMES, strict=True))
"""Header → column."""
MOMENTS = ("ordered_at", "paid_at", "shipped_at")
AMOUNTS = (
    "amount_cny", "amount", "profit_cny", "profit", "paid_cny", "paid", "payout_cny", "list_price",
)  # fmt: skip
WHOLE_NUMBERS = ("quantity",)


def typed_frame(path: Path) -> pl.DataFrame:
    """The sheet with named and typed columns by the fastest reader; amounts as floats."""
    sheet = fastexcel.read_excel(path).load_sheet(0, header_row=TITLE_ROWS, dtypes="string")
    frame: pl.DataFrame = sheet.to_polars()
    return frame.rename(NAMES).with_columns(
        pl.col(MOMENTS).str.to_datetime(MOMENT, time_zone="UTC"),
        pl.col(AMOUNTS).cast(pl.Float64),
        pl.col(WHOLE_NUMBERS).cast(pl.Int64),
    )


def typed_value(name: str, value: Any) -> Any:
    """One cell as openpyxl gives it, for a column of that name."""
    if value in (None, ""):
        return None
    if name in MOMENTS:
        return datetime.strptime(value, MOMENT).replace(tzinfo=UTC)
    return value if name in AMOUNTS or name in WHOLE_NUMBERS else str(value)
