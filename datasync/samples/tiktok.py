"""The TikTok Shop part of the set: orders by way of Miaoshou and of TikTok itself, products, statistics, service."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from datasync.samples import files, shops
from datasync.samples.analytics import tiktok_analytics, tiktok_older_analytics
from datasync.samples.english_orders import tiktok_orders
from datasync.samples.orders import OrderStyle, miaoshou_orders
from datasync.samples.periods import Calendar
from datasync.samples.products import tiktok_products
from datasync.samples.recipe import Naming, Recipe, without_rows
from datasync.samples.services import tiktok_agent
from datasync.samples.truth import Family, Outcome, Period

_PRODUCTS = Family("tiktok", "tiktok", "products", "daily")


def tiktok_recipes(calendar: Calendar) -> Iterator[Recipe]:
    """All TikTok Shop files."""
    yield from _miaoshou_orders(calendar)
    yield from _own_orders(calendar)
    yield from _products(calendar)
    yield from _analytics(calendar)
    for shop, naming in ((shops.TIKTOK_MY, Naming.STANDARD), (shops.TIKTOK_SG, Naming.OLDER)):
        yield Recipe(
            header_set="G",
            family=Family("tiktok", "tiktok", "services", "daily", "agent"),
            shop=shop,
            period=calendar.week,
            build=without_rows(partial(tiktok_agent, shop=shop, period=calendar.week)),
            naming=naming,
        )


def _miaoshou_orders(calendar: Calendar) -> Iterator[Recipe]:
    merged = OrderStyle(merged=True, totals_row=True)
    for shop, layout, weight, style in (
        (shops.TIKTOK_MY, files.XLSX, 900, merged),
        (shops.TIKTOK_SG, files.XLSX, 600, OrderStyle(money_as_text=True)),
        (shops.TIKTOK_VN, files.CSV_BOM, 3000, OrderStyle(totals_row=True)),
    ):
        period = calendar.day(5)
        yield Recipe(
            header_set="B",
            family=Family("tiktok", "miaoshou", "orders", "daily"),
            shop=shop,
            period=period,
            build=partial(miaoshou_orders, shops=(shop,), period=period, style=style),
            layout=layout,
            weight=weight,
            side_file=True,
        )


def _own_orders(calendar: Calendar) -> Iterator[Recipe]:
    for shop, numbers in (
        (shops.TIKTOK_MY, (11, 12, 13, 14)),
        (shops.TIKTOK_SG, (11, 12)),
        (shops.TIKTOK_VN, (11, 12)),
    ):
        for number in numbers:
            bad = shop is shops.TIKTOK_MY and number == 14
            described = shop is not shops.TIKTOK_VN
            note = "cells end in a tab" + "; a description row" * described + "; three bad rows" * bad
            period = calendar.day(number)
            yield Recipe(
                header_set="I",
                family=Family("tiktok", "tiktok", "orders", "daily"),
                shop=shop,
                period=period,
                build=partial(tiktok_orders, shop=shop, period=period, described=described, bad_rows=bad),
                layout=files.CSV_BOM if number % 2 else files.CSV,
                weight=4500,
                naming=Naming.OLDER if shop is shops.TIKTOK_VN else Naming.STANDARD,
                note=note,
            )


def _products(calendar: Calendar) -> Iterator[Recipe]:
    for shop, number, layout, weight, newer, sums_first in (
        (shops.TIKTOK_MY, 5, files.XLSX, 500, False, False),
        (shops.TIKTOK_MY, 6, files.XLSX, 500, False, True),
        (shops.TIKTOK_MY, 7, files.XLSX, 500, False, False),
        (shops.TIKTOK_SG, 5, files.XLSX, 500, True, False),
        (shops.TIKTOK_SG, 6, files.XLSX, 500, True, False),
        (shops.TIKTOK_VN, 5, files.CSV, 2000, True, False),
    ):
        period = calendar.day(number)
        yield Recipe(
            header_set="D",
            family=_PRODUCTS,
            shop=shop,
            period=period,
            build=partial(tiktok_products, shop=shop, period=period, newer=newer, sums_first=sums_first),
            layout=layout,
            weight=weight,
            naming=Naming.OLDER,
            note="first row without id holds the column sums" if sums_first else "",
        )
    period = calendar.day(8)
    yield Recipe(
        header_set="D",
        family=_PRODUCTS,
        shop=shops.TIKTOK_SG,
        period=period,
        build=partial(tiktok_products, shop=shops.TIKTOK_SG, period=period, newer=True, without=("商品 ID",)),
        weight=40,
        naming=Naming.OLDER,
        outcome=Outcome.TEMPLATE_UPDATE_REQUIRED,
        code="HEADER_CHANGED",
        note="no 商品 ID",
    )


def _analytics(calendar: Calendar) -> Iterator[Recipe]:
    growing: tuple[tuple[str, Period], ...] = (
        ("daily", calendar.day(5)),
        ("daily", calendar.day(6)),
        ("monthly", calendar.month_to(15)),
        ("monthly", calendar.month),
    )
    for granularity, period in growing:
        monthly = granularity == "monthly"
        yield Recipe(
            header_set="E",
            family=Family("tiktok", "tiktok", "analytics", granularity),
            shop=shops.TIKTOK_MY,
            period=period,
            build=without_rows(partial(tiktok_analytics, shop=shops.TIKTOK_MY, period=period, monthly=monthly)),
            stream=f"tiktok analytics {granularity} {period.first}",
            side_file=monthly,
            note="totals block above a nameless date column",
        )
    yield Recipe(
        header_set="E",
        family=Family("tiktok", "tiktok", "analytics", "monthly"),
        shop=shops.TIKTOK_MY,
        period=calendar.month_before,
        build=without_rows(partial(tiktok_older_analytics, shop=shops.TIKTOK_MY, period=calendar.month_before)),
        naming=Naming.OLDER,
        note="older wording",
    )
