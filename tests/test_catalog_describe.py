"""A person corrects a file's description: it holds against later scans, and the file is matched anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.catalog.preview import preview
from datasync.catalog.selectors import pending_files
from datasync.choices import FileState, ItemState, TaskKind
from datasync.exceptions import FileBusy, InvalidRequest
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, Shop, SyncProgressTask, SyncTaskFile
from tests.catalog_support import NAME, products, put, scan_one

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(tmp_path: Path, settings: object) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    settings.DATA_ROOTS = [folder]  # type: ignore[attr-defined]
    load_builtin_templates()
    return folder


def test_a_described_file_is_pending_and_has_its_template(root: Path) -> None:
    put(root, "export.csv", b"a,b\r\n1,2\r\n")
    file = scan_one()
    shop = Shop.objects.create(platform_id="shopee", shop_id="9")
    services.describe_file(
        file, platform="shopee", domain="products", granularity="monthly", shop=shop, sight=EVERYTHING
    )
    assert file.state == FileState.NEEDS_DESCRIPTION
    assert file.last_error["params"]["missing"].startswith("the period")
    services.describe_file(file, period_start=date(2026, 1, 1), period_end=date(2026, 1, 31), sight=EVERYTHING)
    assert (file.state, file.source_platform_id) == (FileState.PENDING, "shopee")
    assert CatalogFile.objects.get().state == FileState.PENDING


def test_another_granularity_finds_another_template(root: Path) -> None:
    put(root, NAME, products("1"))
    file = scan_one()
    before = file.template_id
    services.describe_file(file, granularity="weekly", sight=EVERYTHING)
    assert file.template_id not in {None, before}
    assert file.match["template_id"] == file.template_id


def test_the_shop_changes_the_hash_and_must_be_of_the_platform(root: Path) -> None:
    put(root, NAME, products("1"))
    file = scan_one()
    before = file.sha256
    with pytest.raises(InvalidRequest):
        services.describe_file(file, shop=Shop.objects.create(platform_id="tiktok", shop_id="9"), sight=EVERYTHING)
    services.describe_file(file, shop=Shop.objects.create(platform_id="shopee", shop_id="9"), sight=EVERYTHING)
    assert file.sha256 != before
    services.verify_unchanged(file, file.sha256)


def test_what_a_person_said_outlives_new_content(root: Path) -> None:
    put(root, NAME, products("1"))
    services.describe_file(scan_one(), granularity="weekly", sight=EVERYTHING)
    put(root, NAME, products("1", "2"), at=1_760_000_500.0)
    assert services.scan(sight=EVERYTHING).changed == 1
    assert CatalogFile.objects.get().granularity == "weekly"


@pytest.mark.parametrize(
    "fields",
    [{"platform": "nowhere"}, {"sub_domain": "agent"}, {"granularity": "snapshot"}, {"state": "ingested"}],
)
def test_what_cannot_be_is_refused(root: Path, fields: dict[str, Any]) -> None:
    put(root, NAME, products("1"))
    file = scan_one()
    with pytest.raises(InvalidRequest):
        services.describe_file(file, **fields, sight=EVERYTHING)
    assert CatalogFile.objects.get().granularity == "monthly"


def test_a_file_being_synced_is_not_described_anew(root: Path) -> None:
    put(root, NAME, products("1"))
    file = scan_one()
    CatalogFile.objects.update(state=FileState.PROCESSING)
    with pytest.raises(FileBusy):
        services.describe_file(file, granularity="weekly", sight=EVERYTHING)


def test_a_file_whose_rows_are_typed_again_is_not_described_anew(root: Path) -> None:
    put(root, NAME, products("1"))
    file = scan_one()
    CatalogFile.objects.update(state=FileState.INGESTED)
    task = SyncProgressTask.objects.create(task_id="remap_1", celery_task_id="x", kind=TaskKind.REMAP)
    item = SyncTaskFile.objects.create(task=task, file=file, file_sha256=file.content_sha256)
    with pytest.raises(FileBusy) as refused:
        services.describe_file(file, account="other", sight=EVERYTHING)
    assert refused.value.params["task_id"] == "remap_1"
    SyncTaskFile.objects.filter(pk=item.pk).update(state=ItemState.COMPLETED)
    assert services.describe_file(file, account="other", sight=EVERYTHING).account == "other"


def test_pending_files_by_filter(root: Path) -> None:
    put(root, NAME, products("1"))
    put(root, "shopee/shopee_1店_sg/shopee_products_weekly_20250924_100234.csv", products("2"))
    put(root, "tiktok/tiktok_1店_my/tiktok_orders_daily_20250923_100234.csv", b"a,b\r\n1,2\r\n")
    services.scan(sight=EVERYTHING)
    assert [file.granularity for file in pending_files(sight=EVERYTHING)] == ["daily", "weekly", "monthly"]
    assert pending_files(platform="shopee", sight=EVERYTHING).count() == 2
    assert pending_files(domains=["orders"], sight=EVERYTHING).count() == 1
    assert pending_files(granularities=["weekly", "monthly"], sight=EVERYTHING).count() == 2
    assert pending_files(since_hours=1, sight=EVERYTHING).count() == 3
    assert pending_files(since_hours=0, sight=EVERYTHING).count() == 0
    assert pending_files(with_template_only=True, sight=EVERYTHING).count() == 2


def test_preview(root: Path) -> None:
    put(root, NAME, products(*map(str, range(150))))
    shown = preview(scan_one())
    assert len(shown["rows"]) == 100
    assert shown["headers"][0] == "商品编号"
    assert (shown["header_row"], shown["detected_header_row"], shown["first_row_number"]) == (0, 0, 2)
    assert shown["template_id"] is not None
    assert shown["suggestion"] is None
    below = preview(scan_one(), header_row=3)
    assert below["headers"][0] == "2"
    assert below["template_id"] is None
    assert below["suggestion"] is not None
