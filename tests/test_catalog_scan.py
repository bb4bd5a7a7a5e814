"""A scan brings the catalogue up to date with the folders: the known traps, one by one."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.choices import FileState
from datasync.exceptions import FileChanged, FileMissing, InvalidRequest
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, Shop, ShopAlias
from tests.catalog_support import FILE, NAME, products, put, put_side_file, scan_one

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(tmp_path: Path, settings: object) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    settings.DATA_ROOTS = [folder]  # type: ignore[attr-defined]
    settings.UPLOAD_DIR = tmp_path / "uploads"  # type: ignore[attr-defined]
    settings.GROWING_SECONDS = 5  # type: ignore[attr-defined]
    load_builtin_templates()
    return folder


def test_a_new_file_is_described_hashed_matched_and_profiled(root: Path) -> None:
    content = products("27984946015", "27984946016")
    put(root, NAME, content)
    file = scan_one()
    assert file.state == FileState.PENDING
    assert (file.platform_id, file.source_platform_id, file.domain) == ("shopee", "shopee", "products")
    assert file.content_sha256 == hashlib.sha256(content).hexdigest()
    assert file.size == len(content)
    assert file.collected_at == datetime(2025, 9, 25, 10, 2, 34, tzinfo=UTC)
    assert file.template is not None
    assert file.match["outcome"] == "exact"
    assert (file.header_row, file.header[0], file.profiled_rows) == (0, "商品编号", 2)
    assert file.profile[0] == {
        "header": "商品编号",
        "type": "integer",
        "empty": 0.0,
        "distinct": 2,
        "min": 27984946015,
        "max": 27984946016,
        "examples": ["27984946015", "27984946016"],
    }
    assert file.suggestion == {}


def test_what_is_unchanged_is_not_opened_again(root: Path) -> None:
    path = put(root, NAME, products("1"))
    services.scan(sight=EVERYTHING)
    path.chmod(0)
    with CaptureQueriesContext(connection) as queries:
        result = services.scan(sight=EVERYTHING)
    assert (result.new, result.unchanged, result.refused) == (0, 1, 0)
    assert not [query for query in queries if query["sql"].startswith(("INSERT", "UPDATE"))]


def test_new_content_at_an_old_path_is_pending_again_with_new_size_hash_and_dates(root: Path) -> None:
    path = put(root, NAME, products("1"))
    before = scan_one()
    CatalogFile.objects.update(state=FileState.INGESTED, rows={"read": 1}, last_error={"code": "OLD"})
    put(root, NAME, products("1", "2"), at=1_760_000_500.0)
    result = services.scan(sight=EVERYTHING)
    after = CatalogFile.objects.get()
    assert (result.new, result.changed) == (0, 1)
    assert after.pk == before.pk
    assert after.state == FileState.PENDING
    assert after.size == path.stat().st_size != before.size
    assert after.sha256 != before.sha256
    assert after.content_sha256 != before.content_sha256
    assert after.modified_at > before.modified_at
    assert (after.rows, after.last_error) == ({}, {})


def test_new_content_of_equal_size_is_noticed_by_its_time(root: Path) -> None:
    put(root, NAME, products("1"))
    before = scan_one()
    put(root, NAME, products("2"), at=1_760_000_001.0)
    assert services.scan(sight=EVERYTHING).changed == 1
    assert CatalogFile.objects.get().content_sha256 != before.content_sha256


def test_a_touched_file_is_not_a_changed_one(root: Path) -> None:
    path = put(root, NAME, products("1"))
    services.scan(sight=EVERYTHING)
    CatalogFile.objects.update(state=FileState.INGESTED)
    os.utime(path, (1_760_000_900.0, 1_760_000_900.0))
    result = services.scan(sight=EVERYTHING)
    assert (result.changed, result.unchanged) == (0, 1)
    assert CatalogFile.objects.get().state == FileState.INGESTED


def test_the_same_bytes_for_two_shops_are_two_files(root: Path) -> None:
    put(root, f"shopee/shopee_1店_sg/{FILE}", products("1"))
    put(root, f"shopee/shopee_2店_my/{FILE}", products("1"))
    assert services.scan(sight=EVERYTHING).new == 2
    one, two = CatalogFile.objects.select_related("shop")
    assert one.content_sha256 == two.content_sha256
    assert one.sha256 != two.sha256
    assert one.shop != two.shop


def test_a_rename_of_the_same_content_is_not_a_new_file(root: Path) -> None:
    path = put(root, NAME, products("1"))
    before = scan_one()
    CatalogFile.objects.update(state=FileState.INGESTED)
    path.rename(root / "renamed by hand.csv")
    result = services.scan(sight=EVERYTHING)
    after = CatalogFile.objects.get()
    assert (result.new, result.renamed, result.missing) == (0, 1, 0)
    assert (after.pk, after.storage_name, after.state) == (before.pk, "renamed by hand.csv", FileState.INGESTED)


def test_a_copy_of_the_same_content_is_reported_and_is_not_a_new_file(root: Path) -> None:
    put(root, NAME, products("1"))
    services.scan(sight=EVERYTHING)
    put(root, "copy.csv", products("1"))
    result = services.scan(sight=EVERYTHING)
    assert (result.new, result.duplicates) == (0, 1)
    assert CatalogFile.objects.get().storage_name == NAME


def test_two_equal_snapshots_of_two_days_are_two_files(root: Path) -> None:
    put(root, "miaoshou_inventory_snapshot_20250925_095046.csv", products("1"))
    put(root, "miaoshou_inventory_snapshot_20250926_095046.csv", products("1"))
    assert services.scan(sight=EVERYTHING).new == 2


def test_a_missing_file_is_marked_and_comes_back_as_it_was(root: Path, tmp_path: Path) -> None:
    path = put(root, NAME, products("1"))
    services.scan(sight=EVERYTHING)
    CatalogFile.objects.update(state=FileState.INGESTED)
    path.rename(tmp_path / "aside")
    assert services.scan(sight=EVERYTHING).missing == 1
    assert CatalogFile.objects.get().state == FileState.SOURCE_MISSING
    assert CatalogFile.objects.get().last_error["code"] == "SOURCE_MISSING"
    (tmp_path / "aside").rename(path)
    assert services.scan(sight=EVERYTHING).returned == 1
    assert CatalogFile.objects.get().state == FileState.INGESTED
    assert CatalogFile.objects.get().last_error == {}


def test_a_root_that_cannot_be_listed_makes_nothing_missing(root: Path, tmp_path: Path) -> None:
    put(root, NAME, products("1"))
    services.scan(sight=EVERYTHING)
    root.rename(tmp_path / "unmounted")
    result = services.scan(sight=EVERYTHING)
    assert (result.missing, result.refused) == (0, 1)
    assert CatalogFile.objects.get().state == FileState.PENDING


def test_a_file_being_synced_is_left_alone(root: Path) -> None:
    put(root, NAME, products("1"))
    before = scan_one()
    CatalogFile.objects.update(state=FileState.PROCESSING)
    put(root, NAME, products("1", "2"), at=1_760_000_500.0)
    assert services.scan(sight=EVERYTHING).busy == 1
    after = CatalogFile.objects.get()
    assert (after.state, after.sha256) == (FileState.PROCESSING, before.sha256)


def test_neither_platform_nor_domain_known_needs_a_description(root: Path) -> None:
    put(root, "export (3).csv", b"a,b\r\n1,2\r\n")
    result = services.scan(sight=EVERYTHING)
    assert (result.new, result.needs_description) == (1, 1)
    assert CatalogFile.objects.get().state == FileState.NEEDS_DESCRIPTION


def test_a_name_that_says_nothing_is_settled_by_the_header(root: Path) -> None:
    put(root, "download (1).csv", products("1"))
    file = scan_one()
    assert (file.state, file.platform_id, file.domain) == (FileState.NEEDS_DESCRIPTION, "shopee", "products")
    assert file.last_error["params"] == {"missing": "the shop and the period, or when it was collected,"}
    assert file.description_sources["platform"] == "content"


def test_growing_files_are_postponed(root: Path) -> None:
    (root / FILE).write_bytes(products("1"))
    for name in ("a.csv.part", "b.xlsx.crdownload", "~$c.xlsx"):
        put(root, name, b"x")
    result = services.scan(sight=EVERYTHING)
    assert (result.growing, result.new, result.refused) == (4, 0, 0)
    assert not CatalogFile.objects.exists()


def test_a_bad_file_is_catalogued_with_its_error(root: Path) -> None:
    put(root, "shopee_orders_daily_20250925_100234.xlsx", b"PK\x03\x04" + b"\0" * 200)
    file = scan_one()
    assert file.state == FileState.FAILED
    assert file.last_error["code"] in {"CORRUPT_FILE", "UNSAFE_FILE"}
    assert set(file.last_error) == {"code", "message", "params", "recovery"}


def test_the_side_file_is_stronger_than_the_name_and_makes_the_shop(root: Path) -> None:
    path = put(root, NAME, products("1"))
    put_side_file(
        path,
        business={
            "source_platform": "shopee",
            "data_domain": "traffic",
            "granularity": "weekly",
            "date_from": "2025-09-15",
            "date_to": "2025-09-21",
            "shop_id": "704158233",
            "store_name": "Shopee新加坡1店",
        },
        collection={"collection_platform": "miaoshou", "account": "a", "collected_at": "2025-09-22T08:00:00+08:00"},
    )
    file = scan_one()
    assert (file.domain, file.granularity, file.source_platform_id) == ("analytics", "weekly", "miaoshou")
    assert (file.period_start, file.period_end) == (date(2025, 9, 15), date(2025, 9, 21))
    assert file.collected_at == datetime(2025, 9, 22, tzinfo=UTC)
    assert file.shop is not None
    assert (file.shop.shop_id, file.shop.currency, file.shop.timezone) == ("704158233", "SGD", "Asia/Singapore")
    assert ShopAlias.objects.get().label == "Shopee新加坡1店"


def test_a_side_file_that_comes_later_is_noticed(root: Path) -> None:
    path = put(root, "export (3).csv", b"a,b\r\n1,2\r\n")
    assert scan_one().state == FileState.NEEDS_DESCRIPTION
    business = {"source_platform": "shopee", "data_domain": "orders", "granularity": "daily", "shop_id": "9"}
    put_side_file(path, business=business)
    assert services.scan(sight=EVERYTHING).changed == 1
    assert scan_one().state == FileState.PENDING


@pytest.mark.parametrize("text", ["", "{", "[]", '{"business_metadata": 3}', "[" * 100_000])
def test_a_damaged_side_file_says_nothing(root: Path, text: str) -> None:
    path = put(root, NAME, products("1"))
    path.with_name(f"{FILE}.meta.json").write_text(text)
    assert scan_one().domain == "products"


def test_a_shop_known_by_its_label_gets_its_id_later(root: Path) -> None:
    put(root, "20250918_163152__a__shopee_1店_sg__products__monthly.csv", products("1"))
    services.scan(sight=EVERYTHING)
    path = put(root, "20250919_163152__a__shopee_1店_sg__products__monthly.csv", products("2"))
    put_side_file(path, business={"shop_id": "704158233", "store_name": "shopee_1店_sg"})
    services.scan(sight=EVERYTHING)
    shop = Shop.objects.get()
    assert (shop.shop_id, shop.name, shop.region) == ("704158233", "shopee_1店_sg", "SG")
    assert shop.files.count() == 2


def test_only_folders_inside_the_roots_are_scanned(root: Path, tmp_path: Path) -> None:
    put(root, f"a/{FILE}", products("1"))
    put(root, f"b/{FILE}", products("2"))
    assert services.scan(roots=[root / "a"], sight=EVERYTHING).new == 1
    for outside in (tmp_path, root / "..", Path("/")):
        with pytest.raises(InvalidRequest):
            services.scan(roots=[outside], sight=EVERYTHING)


def test_scanning_a_folder_leaves_the_rest_of_the_root_alone(root: Path) -> None:
    put(root, f"a/{FILE}", products("1"))
    gone = put(root, f"b/{FILE}", products("2"))
    services.scan(sight=EVERYTHING)
    gone.unlink()
    assert services.scan(roots=[root / "a"], sight=EVERYTHING).missing == 0


def test_verify_unchanged(root: Path) -> None:
    path = put(root, NAME, products("1"))
    file = scan_one()
    services.verify_unchanged(file, file.sha256)
    services.verify_unchanged(file, file.content_sha256)
    os.utime(path, (1_760_000_900.0, 1_760_000_900.0))
    services.verify_unchanged(file, file.content_sha256)
    put(root, NAME, products("2"), at=1_760_000_901.0)
    with pytest.raises(FileChanged):
        services.verify_unchanged(file, file.content_sha256)
    path.unlink()
    with pytest.raises(FileMissing):
        services.verify_unchanged(file, file.content_sha256)


def test_a_thousand_files_cost_few_queries(root: Path) -> None:
    for number in range(450):
        put(root, f"{number}.csv", f"a,b\r\n{number},2\r\n".encode())
    with CaptureQueriesContext(connection) as first:
        assert services.scan(sight=EVERYTHING).new == 450
    with CaptureQueriesContext(connection) as again:
        assert services.scan(sight=EVERYTHING).unchanged == 450
    assert len(first) < 450 / 10
    assert len(again) <= 12


def test_a_file_renamed_while_another_takes_its_name_is_no_duplicate(root: Path) -> None:
    folder = NAME.removesuffix(FILE)
    first, second = f"{folder}a.csv", f"{folder}b.csv"
    path = put(root, first, products("1"))
    services.scan(sight=EVERYTHING)
    path.rename(root / second)
    put(root, first, products("2"), at=1_760_000_100.0)
    result = services.scan(sight=EVERYTHING)
    assert (result.new, result.changed, result.duplicates) == (1, 1, 0)
    rows = dict(CatalogFile.objects.values_list("storage_name", "content_sha256"))
    assert rows == {first: sha256(products("2")), second: sha256(products("1"))}
    assert services.scan(sight=EVERYTHING).unchanged == 2


def test_a_copy_of_a_file_that_was_replaced_meanwhile_is_no_duplicate(root: Path) -> None:
    path = put(root, NAME, products("1"))
    services.scan(sight=EVERYTHING)
    path.write_bytes(products("1", "2"))
    copy = put(root, f"{NAME.removesuffix(FILE)}copy.csv", products("1"))
    assert root / services.catalogue_path(copy).storage_name == copy


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
