"""What must be known before rows may be written: whose they are, and of which day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.catalog.services import Description
from datasync.choices import FileState
from datasync.exceptions import NeedsDescription
from datasync.mapping import services as mapping
from datasync.mapping.template_file import builtin_templates
from datasync.models import CatalogFile, Shop
from tests.catalog_support import FILE, NAME, products, put, put_side_file, scan_one

pytestmark = pytest.mark.django_db
HOURS = "小时,页面浏览数,访客数,平均页面访问数,平均访客数,现有访客,新关注者,平均转化率,跳出率"
STOCK = next(template.header for template in builtin_templates() if template.family.domain == "inventory")
SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku\n"
    "#1001,a@x,paid,2026-03-06 10:00:00 +0800,fulfilled,USD,10,1,0,11,2026-03-06 10:00:00 +0800,1,Cup,10,CUP\n"
)
LABELLED = next(
    template.header
    for template in builtin_templates()
    if template.family.key == "shopee/miaoshou/orders/daily" and template.variant == "default"
)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    settings.DATA_ROOTS = [folder]
    settings.UPLOAD_DIR = tmp_path / "uploads"
    mapping.load_builtin_templates()
    return folder


def missing(file: CatalogFile) -> str:
    """What the file's last error says to be missing; a sync must say the same."""
    assert file.state == FileState.NEEDS_DESCRIPTION
    assert file.last_error["code"] == "NEEDS_DESCRIPTION"
    with pytest.raises(NeedsDescription) as raised:
        mapping.prepare_read(file)
    assert raised.value.params == file.last_error["params"]
    return str(file.last_error["params"]["missing"])


def analytics(header: str, *rows: str) -> bytes:
    return "\n".join(["a", "b", "c", header, *rows]).encode()


def test_orders_of_an_unknown_shop_wait_although_there_is_only_one(root: Path) -> None:
    Shop.objects.create(platform_id="shopify", shop_id="1", name="the only one")
    put(root, "a/shopify_orders_daily_20260306_100000.csv", SHOPIFY.encode())
    file = scan_one()
    assert file.template is not None
    assert missing(file) == "the shop"


def test_an_upload_waits_until_its_shop_is_told() -> None:
    file = services.store_upload(
        uploaded=SimpleUploadedFile(FILE, products("1")), description=None, actor=None, sight=EVERYTHING
    )
    assert missing(file) == "the shop"
    services.describe_file(file, shop=Shop.objects.create(platform_id="shopee", shop_id="9"), sight=EVERYTHING)
    assert (file.state, file.last_error) == (FileState.PENDING, {})
    assert mapping.prepare_read(file).header_row == 0


def test_a_shop_taken_away_makes_a_file_wait_again(root: Path) -> None:
    put(root, NAME, products("1"))
    file = scan_one()
    assert file.state == FileState.PENDING
    services.describe_file(file, shop=None, sight=EVERYTHING)
    assert missing(file) == "the shop"


def test_rows_that_name_their_shop_need_no_other(root: Path) -> None:
    row = ["x" if header == "订单编号" else "" for header in LABELLED]
    text = "\n".join(["title", ",".join(LABELLED), ",".join(row)])
    put(root, "export.csv", text.encode())
    file = scan_one()
    assert (file.source_platform_id, file.state) == ("miaoshou", FileState.PENDING)


def test_a_lost_shop_column_is_no_shop(root: Path) -> None:
    header = [text for text in LABELLED if text != "店铺"]
    text = "\n".join(["title", ",".join(header), ",".join("x" if name == "订单编号" else "" for name in header)])
    put(root, "export.csv", text.encode())
    assert missing(scan_one()) == "the shop"


def test_the_stock_of_an_erp_belongs_to_the_account(root: Path) -> None:
    content = "\t".join(text.replace("\n", "") for text in STOCK) + "\n" + "\t".join(["", "K", *["1"] * 19])
    put(root, "miaoshou_inventory_snapshot_20250925_095046.csv", content.encode())
    assert scan_one().state == FileState.PENDING


def test_the_stock_of_a_marketplace_belongs_to_a_shop(root: Path) -> None:
    put(root, "shopee_inventory_snapshot_20250925_095046.csv", b"SKU,Warehouse,Stock\nA,W,1\n")
    assert "the shop" in missing_without_template(scan_one())


def missing_without_template(file: CatalogFile) -> str:
    assert file.state == FileState.NEEDS_DESCRIPTION
    return str(file.last_error["params"]["missing"])


def test_the_time_of_the_last_change_is_no_period(root: Path) -> None:
    put(root, "shopee/shopee_1店_sg/hours.csv", analytics(HOURS, '1:00,10,10,"1,2","2,5",10,1,"5,48%","3,0%"'))
    file = scan_one()
    services.describe_file(file, platform="shopee", domain="analytics", granularity="hourly", sight=EVERYTHING)
    assert missing(file) == "the period, or when it was collected,"
    services.describe_file(file, period_start=date(2026, 3, 6), period_end=date(2026, 3, 6), sight=EVERYTHING)
    assert file.state == FileState.PENDING


def test_a_report_with_a_column_of_dates_needs_no_period(root: Path) -> None:
    days = HOURS.replace("小时", "日期")
    put(root, "shopee/shopee_1店_sg/days.csv", analytics(days, '06/03/2026,10,10,"1,2","2,5",10,1,"5,48%","3,0%"'))
    assert scan_one().state == FileState.PENDING


def test_a_side_file_or_a_stamp_says_the_day(root: Path) -> None:
    path = put(root, "shopee/shopee_1店_sg/download.csv", products("1"))
    put_side_file(path, business={}, collection={"collected_at": "2026-03-06T10:00:00"})
    assert scan_one().state == FileState.PENDING


def test_the_same_bytes_with_another_stamp_are_another_days_report(root: Path) -> None:
    folder = "shopee/shopee_1店_sg"
    for day in (25, 26):
        put(root, f"{folder}/shopee_products_daily_202509{day}_100234.csv", products("1"))
    result = services.scan(sight=EVERYTHING)
    assert (result.new, result.duplicates) == (2, 0)


def test_the_same_bytes_of_a_stated_period_are_one_export(root: Path) -> None:
    period = Description(
        period_start=date(2025, 9, 25),
        period_end=date(2025, 9, 25),
        platform="shopee",
        domain="products",
        granularity="daily",
        shop_id="7",
    )
    files = [
        services.catalogue_path(
            put(root, f"x/shopee_products_daily_202509{day}_100234.csv", products("1")), description=period
        )
        for day in (25, 26)
    ]
    assert files[0].pk == files[1].pk


def test_stamps_are_in_the_local_time_of_the_collector(root: Path, settings: Any) -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    settings.COLLECTION_TIME_ZONE = ZoneInfo("Asia/Shanghai")
    put(root, NAME, products("1"))
    side = put(root, f"side/{FILE.replace('monthly', 'weekly')}", products("2"))
    put_side_file(side, business={}, collection={"collected_at": "2025-09-25T10:02:34"})
    services.scan(sight=EVERYTHING)
    moments = set(CatalogFile.objects.values_list("collected_at", flat=True))
    assert moments == {datetime(2025, 9, 25, 2, 2, 34, tzinfo=UTC)}
