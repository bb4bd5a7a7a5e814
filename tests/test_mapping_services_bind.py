"""From a catalogued file to its plan: what is synced, what is noted, what is blocked and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.catalog import services as catalog
from datasync.choices import FileState
from datasync.exceptions import (
    FileMissing,
    HeaderChanged,
    NeedsDescription,
    NoTemplate,
    UnsureMapping,
)
from datasync.ingest.plan import ShopOf
from datasync.ingest.read import reader
from datasync.mapping import services
from datasync.mapping.services import ResolvedPlan, SyncOptions
from datasync.models import CatalogFile, HeaderSet, HeaderTemplate, Shop, ShopAlias
from datasync.remarks import Remark, RemarkCode
from tests.catalog_support import FILE, NAME, PRODUCTS, products, put, scan_one

pytestmark = pytest.mark.django_db
LOOSE = SyncOptions(only_with_template=False)
UNKNOWN = (
    "Order,Customer email,Payment status,Payment date,Order currency,Order total,Order date,Product title,Variant SKU,"
    "Units,Unit price\r\n"
    + "".join(
        f"#{number},b@example.com,paid,2026-01-02 10:00:00,USD,12.50,2026-01-02 09:59:00,Lamp,SKU-{number},1,12.50\r\n"
        for number in range(2000, 2020)
    )
).encode()


@pytest.fixture
def root(tmp_path: Path, settings: object) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    settings.DATA_ROOTS = [folder]  # type: ignore[attr-defined]
    services.load_builtin_templates()
    return folder


def resolve(file: CatalogFile, options: SyncOptions | None = None) -> ResolvedPlan:
    with reader().open(services.prepare_read(file, options)) as sheet:
        return services.bind(file, sheet.info, options)


def test_a_file_that_fits_has_a_plan(root: Path) -> None:
    put(root, f"shopee/shopee_1店_sg/{FILE}", products("1"))
    file = scan_one()
    resolved = resolve(file)
    assert resolved.template_id == file.template_id
    assert resolved.warnings == ()
    plan = resolved.plan
    assert (plan.file_id, plan.scope.platform, plan.scope.currency) == (file.pk, "shopee", "SGD")
    assert plan.scope.shop_id == file.shop_id
    assert plan.scope.timezone == "Asia/Singapore"
    assert "product_id" in plan.identity
    assert HeaderSet.objects.get(pk=plan.header_set_id).headers == PRODUCTS.split(",")


def test_a_warm_file_costs_two_queries(root: Path) -> None:
    put(root, NAME, products("1"))
    resolve(scan_one())
    file = CatalogFile.objects.select_related("shop").get()
    with CaptureQueriesContext(connection) as queries:
        resolve(file)
    assert len(queries) == 2


def test_added_and_lost_optional_columns_are_noted(root: Path) -> None:
    header = PRODUCTS.replace(",赞,", ",").replace("商品跳出率", "商品跳出率,新列")
    put(root, NAME, products("1", header=header))
    resolved = resolve(scan_one())
    columns = {remark.code: remark.params["columns"] for remark in resolved.warnings}
    assert columns == {RemarkCode.COLUMNS_ADDED: "新列", RemarkCode.COLUMNS_GONE: "赞"}
    assert "新列" in [column.header for column in resolved.plan.columns]


def test_another_currency_is_the_same_template(root: Path) -> None:
    put(root, NAME, products("1", header=PRODUCTS.replace("(SGD)", "(PHP)")))
    resolved = resolve(scan_one())
    assert resolved.plan.file_currency == "PHP"


def test_a_lost_identity_column_blocks(root: Path) -> None:
    put(root, NAME, products("1", header=PRODUCTS.replace("商品编号", "备注")))
    file = scan_one()
    assert file.match["outcome"] == "blocked"
    with pytest.raises(HeaderChanged) as raised:
        resolve(file)
    assert raised.value.params["missing"] == "商品编号"
    assert "备注" in raised.value.params["added"]


def test_values_that_contradict_the_template_block(root: Path) -> None:
    rows = "".join(f"{number}," + ",".join(["无法解析的文字"] * 26) + "\r\n" for number in range(20))
    put(root, NAME, (PRODUCTS + "\r\n" + rows).encode())
    file = scan_one()
    assert file.match["contradictions"]
    with pytest.raises(HeaderChanged, match="its values are no"):
        resolve(file)


def test_a_header_replaced_after_the_scan_blocks(root: Path) -> None:
    put(root, NAME, products("1"))
    file = scan_one()
    put(root, NAME, b"a,b\r\n1,2\r\n")
    with pytest.raises(HeaderChanged):
        resolve(file)


def test_without_a_template_a_file_waits_with_a_suggestion(root: Path) -> None:
    put(root, "shopify/lumen-goods/orders_export.csv", UNKNOWN)
    file = scan_one()
    assert (file.state, file.platform_id, file.domain) == (FileState.PENDING, "shopify", "orders")
    assert file.template is None
    assert file.suggestion["sure"]
    with pytest.raises(NoTemplate):
        resolve(file)
    resolved = resolve(file, LOOSE)
    assert resolved.template_id is None
    assert resolved.plan.identity[0] == "order_id"
    assert resolved.warnings[0] == Remark(RemarkCode.MAPPING_SUGGESTED)


def test_a_published_suggestion_fits_the_file_and_those_like_it(root: Path) -> None:
    put(root, "shopify/lumen-goods/orders_export.csv", UNKNOWN)
    put(root, "shopify/lumen-goods/orders_export_1.csv", UNKNOWN.replace(b"#2", b"#3"))
    catalog.scan(sight=EVERYTHING)
    one, two = CatalogFile.objects.order_by("storage_name")
    template = services.publish_suggestion(one, sight=EVERYTHING)
    assert HeaderTemplate.objects.get(pk=template.pk).origin == "suggested"
    for file in (one, two):
        file.refresh_from_db()
        assert (file.state, file.template_id, file.suggestion) == (FileState.PENDING, template.pk, {})
        assert resolve(file).template_id == template.pk


def test_publishing_frees_files_that_required_it(root: Path) -> None:
    put(root, "shopify/lumen-goods/orders_export.csv", UNKNOWN)
    file = scan_one()
    CatalogFile.objects.update(state=FileState.TEMPLATE_UPDATE_REQUIRED, last_error={"code": "HEADER_CHANGED"})
    services.publish_suggestion(file, sight=EVERYTHING)
    file.refresh_from_db()
    assert (file.state, file.last_error) == (FileState.PENDING, {})


def test_an_unsure_suggestion_is_not_used(root: Path) -> None:
    put(root, "shopee_orders_daily_20250925_100234.csv", b"x,y,z\r\n1,2,3\r\n")
    with pytest.raises(UnsureMapping):
        resolve(scan_one(), LOOSE)


def test_an_undescribed_or_missing_file_has_no_plan(root: Path) -> None:
    path = put(root, "export.csv", b"a,b\r\n1,2\r\n")
    file = scan_one()
    with pytest.raises(NeedsDescription):
        services.prepare_read(file)
    put(root, NAME, products("1"))
    catalog.scan(sight=EVERYTHING)
    file = CatalogFile.objects.get(storage_name=NAME)
    path.unlink()
    (root / NAME).unlink()
    with pytest.raises(FileMissing):
        services.prepare_read(file)


def test_rows_name_their_shops_where_the_file_names_none(root: Path) -> None:
    shop = Shop.objects.create(platform_id="shopee", shop_id="7", name="shopee_2店_ph")
    ShopAlias.objects.create(platform_id="shopee", shop=shop, label="Shopee菲律宾2店")
    Shop.objects.create(platform_id="tiktok", shop_id="8", name="another platform's")
    known = ShopOf(shop.pk, "", "Asia/Shanghai")
    assert services.shop_labels("shopee") == {"7": known, "shopee_2店_ph": known, "Shopee菲律宾2店": known}


def test_the_detected_header_row_can_be_used_instead_of_the_templates(root: Path) -> None:
    put(root, NAME, b"a title\r\n\r\n" + products("1"))
    file = scan_one()
    assert (file.header_row, file.match["header_row"]) == (2, 0)
    request = services.prepare_read(file, SyncOptions(use_template_header_row=False))
    assert request.header_row == 2
    assert resolve(file, SyncOptions(use_template_header_row=False)).template_id == file.template_id


def test_where_the_templates_row_holds_something_else_the_header_is_taken_where_it_was_found(root: Path) -> None:
    put(root, NAME, b"a title\r\n" + products("1"))
    file = scan_one()
    assert file.match["outcome"] == "exact"
    resolved = resolve(file)
    assert resolved.read_request.header_row == 1
    assert resolved.warnings == (Remark(RemarkCode.HEADER_MOVED, {"found": 2, "expected": 1}),)


def test_a_header_set_is_stored_once() -> None:
    one = services.header_set_id(("a", "b"))
    assert services.header_set_id(("a", "b")) == one
    assert services.header_set_id(("a", "b", "")) != one
    assert services.header_set_id(("a\0\ud800", "b")) != one
