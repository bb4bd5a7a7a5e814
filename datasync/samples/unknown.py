"""Exports that no built-in template covers, for the suggestion of a mapping."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from datasync.samples import wording
from datasync.samples.content import Row, SheetContent, generator
from datasync.samples.files import CSV_BOM, SHOPEE_XLSX, TSV, Layout, write
from datasync.samples.finance import amazon_settlement
from datasync.samples.shops import AMAZON_US
from datasync.samples.truth import Period

_SHOPIFY = (
    "Order",
    "Customer email",
    "Payment status",
    "Payment date",
    "Order currency",
    "Order total",
    "Order date",
    "Product title",
    "Variant SKU",
    "Units",
    "Unit price",
)
_AMAZON = (
    "Settlement ID",
    "Transaction Type",
    "Amazon Order Id",
    "Seller SKU",
    "Amount Type",
    "Amount Description",
    "Amount (USD)",
    "Posted Date",
    "Qty",
)
_VIETNAMESE = (
    "Mã đơn hàng",
    "Ngày đặt hàng",
    "Trạng Thái Đơn Hàng",
    "Mã vận đơn",
    "Thời gian đơn hàng được thanh toán",
    "Tên sản phẩm",
    "SKU phân loại hàng",
    "Tên phân loại hàng",
    "Giá gốc",
    "Giá ưu đãi",
    "Số lượng",
    "Tổng giá trị đơn hàng (VND)",
    "Người Mua",
)
_THAI = (
    "หมายเลขคำสั่งซื้อ",
    "วันที่ทำการสั่งซื้อ",
    "สถานะการสั่งซื้อ",
    "หมายเลขติดตามพัสดุ",
    "เวลาการชำระสินค้า",
    "ชื่อสินค้า",
    "เลขอ้างอิง SKU (SKU Reference No.)",
    "ชื่อตัวเลือก",
    "ราคาตั้งต้น",
    "ราคาขาย",
    "จำนวน",
    "จำนวนเงินทั้งหมด",
    "ชื่อผู้ใช้ (ผู้ซื้อ)",
)
_STATUSES = {"VN": ("Hoàn thành", "Đang giao", "Đã hủy"), "TH": ("สำเร็จแล้ว", "ที่ต้องจัดส่ง", "ยกเลิกแล้ว")}


@dataclass(frozen=True, slots=True)
class UnknownExport:
    """A file, what it really holds, and the standard fields that a good suggestion finds, by header.

    ``order_amount`` is the sum of all orders' totals in hundredths, each order once.
    """

    path: Path
    platform: str
    domain: str
    granularity: str
    rows: int
    fields: dict[str, str]
    order_amount: int


def unknown_exports(folder: Path, *, rows: int = 200, seed: int = 20260101) -> tuple[UnknownExport, ...]:
    """Write four exports that fit no built-in template: Shopify, Amazon, Vietnamese and Thai Shopee."""
    source = generator(seed, "unknown")
    period = Period(date(2026, 1, 1), date(2026, 1, 31))
    amazon = amazon_settlement(source, rows, shop=AMAZON_US, period=period, header=_AMAZON)
    local = dict(zip(range(13), _LOCAL_FIELDS, strict=True))
    vietnamese = {_VIETNAMESE[index]: name for index, name in local.items() if name}
    thai = {_THAI[index]: name for index, name in local.items() if name}
    decomposed = {unicodedata.normalize("NFD", header): name for header, name in vietnamese.items()}
    shopify = dict(zip(_SHOPIFY, _SHOPIFY_FIELDS, strict=True))
    finance = dict(zip(_AMAZON, _AMAZON_FIELDS, strict=True))
    return (
        _put(folder / "shopify/lumen-goods/orders_export.csv", _shopify(rows), CSV_BOM, "shopify", "orders", shopify),
        _put(folder / "amazon/amazon_1店_us/settlement_2026-01.txt", amazon, TSV, "amazon", "finance", finance),
        _put(
            folder / "shopee/shopee_4店_vn/Order.all.20260101_20260131.xlsx",
            _local_orders(_VIETNAMESE, "VN", rows, decomposed=True),
            SHOPEE_XLSX,
            "shopee",
            "orders",
            decomposed,
        ),
        _put(
            folder / "shopee/shopee_4店_th/Order.all.20260101_20260131.xlsx",
            _local_orders(_THAI, "TH", rows, decomposed=False),
            SHOPEE_XLSX,
            "shopee",
            "orders",
            thai,
        ),
    )


_LOCAL_FIELDS = (
    "order_id",
    "ordered_at",
    "order_status",
    "tracking_number",
    "paid_at",
    "product_name",
    "sku",
    "variation",
    "original_price",
    "unit_price",
    "quantity",
    "order_amount",
    "buyer_name",
)
_SHOPIFY_FIELDS = (
    "order_id",
    "",
    "order_status",
    "paid_at",
    "currency",
    "order_amount",
    "ordered_at",
    "product_name",
    "sku",
    "quantity",
    "unit_price",
)
_AMAZON_FIELDS = (
    "settlement_id",
    "entry_type",
    "order_id",
    "sku",
    "amount_type",
    "amount_description",
    "amount",
    "posted_at",
    "quantity",
)


def _put(
    path: Path, content: SheetContent, layout: Layout, platform: str, domain: str, fields: dict[str, str]
) -> UnknownExport:
    write(path, content, layout)
    found = {header: name for header, name in fields.items() if name}
    return UnknownExport(path, platform, domain, "monthly", content.rows_read, found, sum(content.sums.values()))


def _shopify(rows: int) -> SheetContent:
    content = SheetContent(list(_SHOPIFY))
    for number in range(rows):
        first_line = _first_line(number)
        moment = datetime.combine(date(2026, 1, 1), time(9)) + timedelta(minutes=first_line * 7)
        _, title, price = wording.GOODS[number % len(wording.GOODS)]
        name = f"#{2000 + first_line}"
        row: Row = [None] * 6
        if number == first_line:
            total = round(sum(wording.GOODS[line % len(wording.GOODS)][2] for line in _lines(number, rows)), 2)
            row = [f"buyer{number}@example.com", "paid", f"{moment:%Y-%m-%d %H:%M:%S}", "USD", total]
            row += [f"{moment:%Y-%m-%d %H:%M:%S}"]
            content.add_sum("Total", total)
        content.add_good([name, *row, title, wording.sku(number + 1), 1, price], ("shopify", name, str(number)))
    return content


def _first_line(number: int) -> int:
    """Every sixth row is the second line of the order above it."""
    return number - (number % 6 == 5)


def _lines(first: int, rows: int) -> range:
    return range(first, min(rows, first + 1 + (first % 6 == 4)))


def _local_orders(header: tuple[str, ...], region: str, rows: int, *, decomposed: bool) -> SheetContent:
    names = [unicodedata.normalize("NFD", name) if decomposed else name for name in header]
    content = SheetContent(list(names), sheet="orders")
    for number in range(rows):
        order = _first_line(number)
        moment = datetime.combine(date(2026, 1, 1), time(9)) + timedelta(minutes=order * 11)
        title = wording.LOCAL_NAMES[region][number % 4]
        price = 99_000 + number * 500
        total = sum(90_000 + line * 500 for line in _lines(order, rows))
        if number == order:
            content.add_sum("total", total)
        row: Row = [f"{moment:%y%m%d}{wording.base36(order * 7919 % 36**4, 4)}{wording.base36(order, 4)}"]
        row += [f"{moment:%Y-%m-%d %H:%M}", _STATUSES[region][order % 3], f"SPX{region}{order:09d}"]
        row += [f"{moment + timedelta(minutes=2):%Y-%m-%d %H:%M}", title, wording.sku(number + 1)]
        row += [wording.VARIATIONS[number % 9], price, price - 9_000, 1, total, wording.BUYERS[order % 12]]
        content.add_good(row, (region, str(row[0]), str(number)))
    return content
