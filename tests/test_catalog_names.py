"""What names and folders say of a file, and what they must not be taken to say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import PurePosixPath

import pytest

from datasync.catalog.description import FOLDER, NAME, SIDE_FILE, UPLOADER, Description, merge
from datasync.catalog.names import from_folder, from_name

PLATFORMS = {"shopee", "tiktok", "miaoshou"}


@pytest.mark.parametrize(
    ("name", "platform", "domain", "sub_domain", "granularity"),
    [
        ("shopee_products_monthly_20250925_100234.xlsx", "shopee", "products", "", "monthly"),
        ("tiktok_services_ai_assistant_daily_20260413_185520.xlsx", "tiktok", "services", "ai_assistant", "daily"),
        ("miaoshou_inventory_snapshot_20250925_095046.xlsx", "miaoshou", "inventory", "", "snapshot"),
        ("shopee_traffic_daily_20250925_100234.xls", "shopee", "analytics", "", "daily"),
        ("SHOPEE_Orders_Weekly_20250925_100234.CSV", "shopee", "orders", "", "weekly"),
    ],
)
def test_the_standard_name(name: str, platform: str, domain: str, sub_domain: str, granularity: str) -> None:
    told = from_name(name, platforms=PLATFORMS)
    assert (told.platform, told.domain, told.sub_domain, told.granularity) == (
        platform,
        domain,
        sub_domain,
        granularity,
    )
    assert told.collected_at is not None
    assert told.period_start is None, "the stamp is the time of collection, not the period"


@pytest.mark.parametrize(
    "name",
    [
        "unknown_products_monthly_20250925_100234.xlsx",
        "shopee_things_monthly_20250925_100234.xlsx",
        "shopee_products_yearly_20250925_100234.xlsx",
        "shopee_services_monthly_20250925_100234.xlsx",
        "shopee_products_agent_monthly_20250925_100234.xlsx",
        "shopee_products_monthly_20250925_100234 (1).xlsx",
        "my shopee_products_monthly_20250925_100234.xlsx",
        "Order.all.xlsx",
        "",
        ".",
    ],
)
def test_a_name_that_follows_no_convention_says_nothing(name: str) -> None:
    assert from_name(name, platforms=PLATFORMS) == Description()


def test_an_impossible_stamp_is_no_time() -> None:
    told = from_name("shopee_products_monthly_20251325_100234.xlsx", platforms=PLATFORMS)
    assert told.domain == "products"
    assert told.collected_at is None


def test_the_older_name() -> None:
    name = "20250918_163152__tiktok_2店__tiktok_2店_sg__services__monthly__2025-08-21_2025-09-18.xlsx"
    assert from_name(name, platforms=PLATFORMS) == Description(
        platform="tiktok",
        domain="services",
        granularity="monthly",
        shop_label="tiktok_2店_sg",
        account="tiktok_2店",
        period_start=date(2025, 8, 21),
        period_end=date(2025, 9, 18),
        collected_at=datetime(2025, 9, 18, 16, 31, 52, tzinfo=UTC),
    )


def test_the_older_name_with_a_sub_domain_and_without_a_period() -> None:
    told = from_name("20250918_163152__acc__shopee_1店_sg__services.agent__weekly.csv", platforms=PLATFORMS)
    assert (told.domain, told.sub_domain, told.granularity, told.platform) == ("services", "agent", "weekly", "shopee")
    assert told.period_start is None


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Order.all.20260101_20260131.xlsx", date(2026, 1, 1), date(2026, 1, 31)),
        ("export 2026-01-05_2026-01-11.csv", date(2026, 1, 5), date(2026, 1, 11)),
        ("settlement_2026-02.txt", date(2026, 2, 1), date(2026, 2, 28)),
    ],
)
def test_a_marketplace_name_gives_the_period(name: str, first: date, last: date) -> None:
    assert from_name(name, platforms=PLATFORMS) == Description(period_start=first, period_end=last)


@pytest.mark.parametrize("name", ["Order.all.20260131_20260101.xlsx", "Order.all.20260231_20260301.xlsx"])
def test_impossible_days_are_no_period(name: str) -> None:
    assert from_name(name, platforms=PLATFORMS).period_start is None


def test_folders() -> None:
    told = from_folder(PurePosixPath("Shopee/shopee_2店_my/traffic/daily"), platforms=PLATFORMS)
    assert told == Description(platform="shopee", shop_label="shopee_2店_my", domain="analytics", granularity="daily")


@pytest.mark.parametrize("folder", ["shopee/2025-09", "archive/old", ""])
def test_a_folder_that_names_no_shop_makes_none(folder: str) -> None:
    assert from_folder(PurePosixPath(folder), platforms=PLATFORMS).shop_label == ""


def test_precedence_is_uploader_side_file_name_folder() -> None:
    merged = merge(
        [
            (UPLOADER, Description(domain="orders")),
            (SIDE_FILE, Description(domain="products", granularity="daily", shop_id="7")),
            (NAME, Description(domain="analytics", granularity="weekly", platform="shopee", shop_label="a")),
            (FOLDER, Description(platform="tiktok", account="x", shop_label="b")),
        ]
    )
    told = merged.description
    assert (told.domain, told.granularity, told.platform, told.account) == ("orders", "daily", "shopee", "x")
    assert merged.sources["domain"] == UPLOADER
    assert merged.sources["granularity"] == SIDE_FILE
    assert merged.sources["platform"] == NAME
    assert merged.sources["account"] == FOLDER


def test_the_id_and_label_of_a_shop_come_from_one_source() -> None:
    told = merge([(SIDE_FILE, Description(shop_id="7")), (NAME, Description(shop_label="another shop"))]).description
    assert (told.shop_id, told.shop_label) == ("7", "")


def test_a_sub_domain_is_dropped_where_the_domain_has_none() -> None:
    told = merge([(NAME, Description(domain="orders")), (FOLDER, Description(sub_domain="agent"))]).description
    assert told.sub_domain == ""


def test_an_inventory_is_always_a_snapshot() -> None:
    told = merge([(NAME, Description(domain="inventory", granularity="daily"))]).description
    assert told.granularity == "snapshot"
