"""Suggestions published unchanged and synced: the facts hold what the files say, and no order's money twice."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum

from datasync.access import EVERYTHING
from datasync.catalog.services import Description, catalogue_path, scan
from datasync.choices import FileState
from datasync.mapping import services as mapping
from datasync.mapping.template_file import builtin_templates
from datasync.models import CatalogFile, OrderLine
from datasync.runs import services
from datasync.runs.turns import take_turn
from datasync.samples.unknown import unknown_exports
from tests.runs_support import Bell, bell

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)
VIETNAMESE = (
    "Mã đơn hàng,Ngày đặt hàng,Trạng Thái Đơn Hàng,SKU phân loại hàng,Tên sản phẩm,Số lượng,Giá gốc,Giá ưu đãi,"
    "Tổng giá trị đơn hàng (VND),Người Mua"
)


@pytest.fixture(autouse=True)
def inbox(tmp_path: Path, settings: Any, bell: Bell) -> Path:
    settings.DATA_ROOTS = [tmp_path]
    mapping.load_builtin_templates()
    return tmp_path


def sync(file: CatalogFile, **options: Any) -> None:
    services.submit_single(file_id=file.pk, owner=None, **options, sight=EVERYTHING)
    take_turn()
    file.refresh_from_db()
    assert file.state == FileState.INGESTED, file.last_error


def test_the_money_of_orders_is_that_of_the_files(inbox: Path) -> None:
    exports = {str(export.path.relative_to(inbox)): export for export in unknown_exports(inbox, rows=120)}
    scan(sight=EVERYTHING)
    for file in CatalogFile.objects.filter(domain="orders"):
        export = exports[file.storage_name]
        local = export.platform == "shopee"
        assert file.suggestion["totals_on_every_line"] is local
        assert mapping.publish_suggestion(file, sight=EVERYTHING).totals_on_every_line is local
        sync(file)
        found = OrderLine.objects.filter(file_last=file)
        assert found.count() == export.rows
        assert found.aggregate(total=Sum("order_amount"))["total"] == Decimal(export.order_amount) / 100


def test_dots_group_the_thousands_of_a_currency_without_decimals(inbox: Path) -> None:
    rows = [f"2603060{at // 2},2026-03-06 13:16,Hoàn thành,S{at},Áo,1,150.000,150.000,300.000,an" for at in range(6)]
    path = inbox / "shopee_orders_daily_20260306_110000.csv"
    path.write_text("\n".join([VIETNAMESE, *rows]), encoding="utf-8")
    file = catalogue_path(path, description=Description(shop_id="vn", currency="VND", platform="shopee"))
    assert (file.suggestion["sure"], file.suggestion["number_format"]) == (True, "comma")
    mapping.publish_suggestion(file, sight=EVERYTHING)
    file.refresh_from_db()
    sync(file)
    assert OrderLine.objects.aggregate(total=Sum("order_amount"))["total"] == 900_000


def test_an_amount_in_rmb_does_not_change_the_currency_of_the_others(inbox: Path) -> None:
    path = inbox / "shopee_orders_daily_20260307_110000.csv"
    header = "订单编号,订单状态,商品SKU,下单时间,订单原始金额,平台佣金(RMB),销售数量"
    path.write_text(header + "\nA1,完成,S1,2026-03-06 13:16:50,10.00,5.00,1", encoding="utf-8")
    file = catalogue_path(path, description=Description(shop_id="sg", currency="SGD", platform="shopee"))
    sync(file, only_with_template=False)
    line = OrderLine.objects.get()
    assert (line.order_amount, line.platform_commission, line.currency) == (10, None, "SGD")


def test_two_files_of_the_same_order_number_in_two_shops_are_two_orders(inbox: Path) -> None:
    header = (
        "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Created at,"
        "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku"
    )
    for shop, total in (("one", 11), ("two", 51)):
        path = inbox / shop / "shopify_orders_daily_20260306_100000.csv"
        path.parent.mkdir()
        paid = "2026-03-06 10:00:00 +0800"
        path.write_text(f"{header}\n#1001,a@x,paid,{paid},fulfilled,USD,10,1,0,{total},{paid},1,Cup,10,CUP")
        sync(catalogue_path(path, description=Description(platform="shopify", shop_id=shop)))
    assert set(OrderLine.objects.values_list("shop__shop_id", "order_amount")) == {("one", 11), ("two", 51)}


def test_pairing_an_article_in_the_erp_changes_the_line_and_makes_no_other(inbox: Path) -> None:
    template = next(one for one in builtin_templates() if one.family.key == "shopee/miaoshou/orders/daily")
    told = Description(platform="shopee", source_platform="miaoshou", domain="orders", granularity="daily", shop_id="A")
    for number, article in enumerate(("", "ERP1")):
        cells = {"订单编号": "ORD1", "平台SKU": "P1", "商品SKU": article, "下单时间": "2026-03-06 13:16:50"}
        path = inbox / f"miaoshou{number}.csv"
        lines = ["title", ",".join(template.header), ",".join(cells.get(text, "") for text in template.header)]
        path.write_text("\n".join(lines), encoding="utf-8")
        sync(catalogue_path(path, description=told))
    assert list(OrderLine.objects.values_list("sku", "erp_sku")) == [("P1", "ERP1")]
