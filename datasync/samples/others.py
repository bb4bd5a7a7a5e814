"""The rest of the set: Miaoshou's stock, Shopify, Amazon, and the files that must not get in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from datasync.exceptions import NeedsDescription, UnsafeFile
from datasync.samples import files, shops
from datasync.samples.english_orders import shopify_orders
from datasync.samples.finance import amazon_settlement
from datasync.samples.hostile import far_corner_workbook, undescribed_table
from datasync.samples.inventory import miaoshou_stock
from datasync.samples.periods import Calendar
from datasync.samples.recipe import Naming, Recipe
from datasync.samples.truth import Family, Outcome, Period


def other_recipes(calendar: Calendar) -> Iterator[Recipe]:
    """All files of the other platforms, and of none."""
    yield from _stock(calendar)
    yield from _shopify(calendar)
    yield from _amazon(calendar)
    yield from _hostile(calendar)


def _stock(calendar: Calendar) -> Iterator[Recipe]:
    for number, extension, totals_row, duplicates in ((15, "xlsx", True, 0), (22, "xls", False, 3)):
        period = calendar.day(number)
        snapshot = period.last
        yield Recipe(
            header_set="H",
            family=Family("miaoshou", "miaoshou", "inventory", "snapshot"),
            shop=shops.MIAOSHOU,
            period=period,
            build=partial(
                miaoshou_stock, shop=shops.MIAOSHOU, snapshot=snapshot, totals_row=totals_row, duplicates=duplicates
            ),
            layout=files.XLS,
            weight=900,
            extension=extension,
            note="OLE bytes named .xlsx" if extension == "xlsx" else "repeated keys",
        )


def _shopify(calendar: Calendar) -> Iterator[Recipe]:
    for month, name in ((calendar.month_before, "orders_export_1.csv"), (calendar.month, "orders_export.csv")):
        yield Recipe(
            header_set="I",
            family=Family("shopify", "shopify", "orders", "monthly"),
            shop=shops.SHOPIFY_US,
            period=month,
            build=partial(shopify_orders, shop=shops.SHOPIFY_US, period=month),
            layout=files.CSV,
            weight=6000,
            name=name,
            side_file=True,
            note="order columns on the first line only",
        )


def _amazon(calendar: Calendar) -> Iterator[Recipe]:
    second_half = Period(calendar.day(16).first, calendar.month.last)
    for period, bad in ((calendar.month_before, False), (calendar.month_to(15), True), (second_half, False)):
        yield Recipe(
            header_set="I",
            family=Family("amazon", "amazon", "finance", "monthly"),
            shop=shops.AMAZON_US,
            period=period,
            build=partial(amazon_settlement, shop=shops.AMAZON_US, period=period, bad_rows=bad),
            layout=files.TSV,
            weight=6000,
            naming=Naming.OLDER,
            extension="txt",
            note="one bad row" if bad else "",
        )


def _hostile(calendar: Calendar) -> Iterator[Recipe]:
    yield Recipe(
        header_set="",
        family=Family("shopee", "shopee", "orders", "monthly"),
        shop=shops.SHOPEE_BR,
        period=calendar.month,
        write_whole=far_corner_workbook,
        outcome=Outcome.REFUSED,
        code=UnsafeFile.code,
        note="cells A1 and XFD1048576",
    )
    yield Recipe(
        header_set="",
        family=None,
        shop=None,
        period=calendar.month,
        write_whole=undescribed_table,
        layout=files.CSV,
        name="export (3).csv",
        folder="",
        outcome=Outcome.NEEDS_DESCRIPTION,
        code=NeedsDescription.code,
        note="neither platform nor domain known",
    )
