"""The Shopee part of the set: orders by way of Miaoshou and of Shopee itself, products, statistics, service."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from datasync.samples import files, shops
from datasync.samples.analytics import DateStyle, shopee_analytics, shopee_hourly_analytics
from datasync.samples.english_orders import shopee_orders
from datasync.samples.files import Layout
from datasync.samples.orders import OrderStyle, miaoshou_orders
from datasync.samples.periods import Calendar
from datasync.samples.products import ProductStyle, shopee_products
from datasync.samples.recipe import Naming, Recipe, without_rows
from datasync.samples.services import shopee_agent, shopee_ai_assistant
from datasync.samples.truth import Family, Outcome, Period, Shop

_MIAOSHOU_ORDERS = Family("shopee", "miaoshou", "orders", "daily")
_ORDERS = Family("shopee", "shopee", "orders", "monthly")


def shopee_recipes(calendar: Calendar) -> Iterator[Recipe]:
    """All Shopee files; exports of one month stand in the order in which they were taken."""
    yield from _miaoshou_orders(calendar)
    yield from _own_orders(calendar)
    yield from _products(calendar)
    yield from _analytics(calendar)
    yield from _services(calendar)


def _miaoshou_orders(calendar: Calendar) -> Iterator[Recipe]:
    merged = OrderStyle(merged=True, totals_row=True)
    totals = OrderStyle(totals_row=True)
    text = OrderStyle(money_as_text=True)
    merged_text = OrderStyle(merged=True, money_as_text=True)
    kinds: tuple[tuple[Shop, int, Layout, int, OrderStyle, str], ...] = (
        (shops.SHOPEE_SG, 5, files.XLSX, 1200, merged, "cells merged over an order's lines"),
        (shops.SHOPEE_SG, 6, files.XLSX, 1200, totals, ""),
        (shops.SHOPEE_PH, 5, files.XLS, 500, merged, "a real BIFF .xls"),
        (shops.SHOPEE_MY, 5, files.HTML, 800, merged_text, "HTML named .xls"),
        (shops.SHOPEE_MX, 5, files.CSV_GB18030, 2500, totals, "GB18030"),
        (shops.SHOPEE_BR, 5, files.CSV_UTF16, 2000, text, "UTF-16 with tabs"),
        (shops.SHOPEE_CO, 5, files.CSV_SEMICOLON, 1500, text, ""),
        (shops.SHOPEE_SG, 7, files.XLSX, 300, OrderStyle(bad_rows=True), "eight bad rows"),
    )
    for shop, number, layout, weight, style, note in kinds:
        period = calendar.day(number)
        yield Recipe(
            header_set="A",
            family=_MIAOSHOU_ORDERS,
            shop=shop,
            period=period,
            build=partial(miaoshou_orders, shops=(shop,), period=period, style=style),
            layout=layout,
            weight=weight,
            side_file=True,
            note=note,
        )
    period = calendar.day(8)
    style = OrderStyle(without=("订单编号",))
    yield Recipe(
        header_set="A",
        family=_MIAOSHOU_ORDERS,
        shop=shops.SHOPEE_PH,
        period=period,
        build=partial(miaoshou_orders, shops=(shops.SHOPEE_PH,), period=period, style=style),
        weight=40,
        side_file=True,
        note="no 订单编号",
        outcome=Outcome.TEMPLATE_UPDATE_REQUIRED,
        code="HEADER_CHANGED",
    )
    period = calendar.day(9)
    yield Recipe(
        header_set="A",
        family=_MIAOSHOU_ORDERS,
        shop=None,
        period=period,
        build=partial(miaoshou_orders, shops=(shops.SHOPEE_PH, shops.SHOPEE_MY), period=period),
        weight=600,
        folder="miaoshou/",
        name="订单导出_多店铺.xlsx",
        side_file=True,
        note="rows name their shop",
    )


def _own_orders(calendar: Calendar) -> Iterator[Recipe]:
    month = calendar.month
    growing = ((10, 0.32), (20, 0.65), (month.days, 1.0))
    for shop, layout, weight, exports in (
        (shops.SHOPEE_MY, files.SHOPEE_XLSX, 2000, growing),
        (shops.SHOPEE_SG, files.SHOPEE_XLSX, 4000, growing[2:]),
        (shops.SHOPEE_PH, files.CSV_BOM, 6000, growing[2:]),
    ):
        for number, until in exports:
            period = calendar.month_to(number)
            extension = "csv" if layout is files.CSV_BOM else "xlsx"
            yield Recipe(
                header_set="I",
                family=_ORDERS,
                shop=shop,
                period=period,
                build=partial(shopee_orders, shop=shop, period=month, until=until),
                layout=layout,
                weight=weight,
                stream=f"shopee orders {shop.name}",
                name=f"Order.all.{period.first:%Y%m%d}_{period.last:%Y%m%d}.{extension}",
                side_file=True,
                note="month to date" if until < 1 else "",
            )


def _products(calendar: Calendar) -> Iterator[Recipe]:
    monthly = Family("shopee", "shopee", "products", "monthly")
    weekly = Family("shopee", "shopee", "products", "weekly")
    for number, until in ((10, 0.3), (20, 0.6), (calendar.month.days, 1.0)):
        yield _product_file(monthly, shops.SHOPEE_SG, calendar.month_to(number), 900, until=until, note="month to date")
    plain, empty = ProductStyle(), ProductStyle(trailing_empty=3)
    for shop, style in (
        (shops.SHOPEE_BR, plain),
        (shops.SHOPEE_CO, empty),
        (shops.SHOPEE_MX, plain),
        (shops.SHOPEE_PH, ProductStyle(full_width=True)),
    ):
        yield _product_file(monthly, shop, calendar.month, 600, style=style)
    confirmed = ProductStyle(paid="已确认")
    yield _product_file(monthly, shops.SHOPEE_MY, calendar.month, 600, style=confirmed, note="已付款 → 已确认")
    drifted = ProductStyle(paid="已确定", added=("直播间成交件数",))
    note = "已付款 → 已确定, one column added"
    yield _product_file(monthly, shops.SHOPEE_SG, calendar.month_before, 500, style=drifted, note=note)
    messy = ProductStyle(duplicates=4, bad_rows=True)
    yield _product_file(
        monthly, shops.SHOPEE_MX, calendar.month_before, 400, style=messy, note="repeated keys, bad rows"
    )
    lost = ProductStyle(without=("商品编号",))
    yield _product_file(monthly, shops.SHOPEE_CO, calendar.month_before, 50, style=lost, note="no 商品编号")
    for shop, layout in ((shops.SHOPEE_SG, files.CSV), (shops.SHOPEE_MY, files.CSV_BOM)):
        yield _product_file(weekly, shop, calendar.week, 1800, layout=layout)


def _product_file(
    family: Family,
    shop: Shop,
    period: Period,
    weight: int,
    *,
    until: float = 1.0,
    style: ProductStyle | None = None,
    layout: Layout = files.SHOPEE_XLSX,
    note: str = "",
) -> Recipe:
    lost = bool(style and style.without)
    return Recipe(
        header_set="C",
        family=family,
        shop=shop,
        period=period,
        build=partial(shopee_products, shop=shop, period=period, until=until, style=style),
        layout=layout,
        weight=weight,
        stream=f"shopee products {shop.name} {period.first}",
        naming=Naming.OLDER if family.granularity == "weekly" else Naming.STANDARD,
        side_file=family.granularity != "weekly",
        outcome=Outcome.TEMPLATE_UPDATE_REQUIRED if lost else Outcome.OK,
        code="HEADER_CHANGED" if lost else "",
        note=note,
    )


def _analytics(calendar: Calendar) -> Iterator[Recipe]:
    slash, dash = DateStyle.SLASH, DateStyle.DASH
    for shop, granularity, period, style, comma in (
        (shops.SHOPEE_SG, "monthly", calendar.month_to(15), dash, False),
        (shops.SHOPEE_SG, "monthly", calendar.month, dash, False),
        (shops.SHOPEE_BR, "monthly", calendar.month, slash, True),
        (shops.SHOPEE_MY, "weekly", calendar.week, slash, False),
        (shops.SHOPEE_CO, "weekly", calendar.week, dash, True),
    ):
        yield Recipe(
            header_set="F",
            family=Family("shopee", "shopee", "analytics", granularity),
            shop=shop,
            period=period,
            build=without_rows(partial(shopee_analytics, shop=shop, period=period, style=style, comma=comma)),
            stream=f"shopee analytics {shop.name} {granularity}",
            naming=Naming.OLDER,
            note="1.203,60" if comma else "",
        )
    for number, style in ((14, slash), (15, dash)):
        period = calendar.day(number)
        yield Recipe(
            header_set="F",
            family=Family("shopee", "shopee", "analytics", "hourly"),
            shop=shops.SHOPEE_SG,
            period=period,
            build=without_rows(partial(shopee_hourly_analytics, shop=shops.SHOPEE_SG, day=period.first, style=style)),
        )


def _services(calendar: Calendar) -> Iterator[Recipe]:
    agent = Family("shopee", "shopee", "services", "weekly", "agent")
    for shop, dashes in ((shops.SHOPEE_SG, False), (shops.SHOPEE_MY, True)):
        yield Recipe(
            header_set="G",
            family=agent,
            shop=shop,
            period=calendar.week,
            build=without_rows(partial(shopee_agent, shop=shop, period=calendar.week, dashes=dashes)),
            naming=Naming.STANDARD if dashes else Naming.OLDER,
        )
    yield Recipe(
        header_set="G",
        family=Family("shopee", "shopee", "services", "daily", "ai_assistant"),
        shop=shops.SHOPEE_SG,
        period=calendar.month,
        build=without_rows(partial(shopee_ai_assistant, shop=shops.SHOPEE_SG, period=calendar.month)),
    )
