"""A root of its own for a test, with files that real templates fit."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.models import CatalogFile

PRODUCTS = (
    "商品编号,商品,Current Item Status,规格编号,规格名称,Current Variation Status,规格货号,全球商品货号,"
    "销售额（已下订单） (SGD),销售额（已付款订单） (SGD),商品页面访问量,商品访客数量,跳出商品页面的访客数,商品跳出率,"
    "赞,搜索点击人数,商品访客数 (加入购物车),件数 (加入购物车）,转化率 (加入购物车率),买家数（已下订单）,"
    "件数（已下订单）,转化率（已下订单）,买家数（已付款订单）,件数（已付款订单）,转化率（已付款订单）,订单复购率（已付款订单）,"
    "订单复购的平均天数（已付款订单）"
)
FILE = "shopee_products_monthly_20250925_100234.csv"
NAME = f"shopee/shopee_1店_sg/{FILE}"


def products(*rows: str, header: str = PRODUCTS) -> bytes:
    """A Shopee product export; each row is a product id."""
    width = header.count(",") + 1
    lines = [header, *(",".join([row, f"商品 {row}", "正常", *["1"] * (width - 3)]) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def put(root: Path, name: str, content: bytes, *, at: float = 1_760_000_000.0) -> Path:
    """Write a file whose last change lies in the past."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at, at))
    return path


def put_side_file(path: Path, *, business: dict[str, Any], collection: dict[str, Any] | None = None) -> None:
    """Write the side file of an export."""
    document = {"business_metadata": business, "collection_info": collection or {}}
    path.with_name(path.name + ".meta.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def scan_one() -> CatalogFile:
    """Scan, and return the only file of the catalogue."""
    services.scan(sight=EVERYTHING)
    return CatalogFile.objects.select_related("shop", "template").get()
