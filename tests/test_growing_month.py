"""A month is exported again every day: in whatever order the exports arrive, the last one has the last word."""

from __future__ import annotations

import os
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from datasync.choices import ItemState
from datasync.models import OrderLine, ProductMetric, TrafficMetric
from tests.exports_synced import Held, World, counts_of
from tests.model_of_rows import Cell, Row
from tests.runs_support import Bell, bell

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)
MONTH = [date(2026, 3, 1) + timedelta(days=number) for number in range(30)]
STATUSES = ("paid", "shipped", "completed")
PRODUCTS = 4
SEEDS = range(1, 21 if os.environ.get("PROPERTY_EXAMPLES") else 3)


def collected(day: date) -> datetime:
    """An export is made in the evening, after the shop's day."""
    return datetime(day.year, day.month, day.day, 20, tzinfo=UTC)


def orders(day: date) -> tuple[Row, ...]:
    """Every order of the month so far: an older one is further on, earns more and may have got another line."""
    rows = []
    for made in MONTH[: day.day]:
        age = (day - made).days
        status = STATUSES[min(age // 2, 2)]
        told = (f"A{made.day}", status, f"Buyer {made.day}", f"{made:%d/%m/%Y} 09:30", f"S{made.day % 3}")
        money = (f"{10 + made.day}.50", f"{20 + made.day + age}.00", f"{age}.25" if age else "-")
        rows.append(tuple(map(Cell, (*told, "1", *money, ""))))
        for line in range(min(age // 7, 2)):
            more = ("", "", "", "", f"S{(made.day + line) % 3}", str(line + 2), f"{5 + line}.00", "", "", "added")
            rows.append(tuple(map(Cell, more)))
    return tuple(rows)


def products(day: date) -> tuple[Row, ...]:
    """Each product's month so far."""
    return tuple(
        tuple(map(Cell, (f"P{number}", "", f"Product {number}", f"{number * day.day}.00", str(day.day * 3), "5%", "")))
        for number in range(1, PRODUCTS + 1)
    )


def analytics(day: date) -> tuple[Row, ...]:
    """A row for each day so far; the marketplace corrects the last three of them."""
    rows = []
    for shown in MONTH[: day.day]:
        settled = min((day - shown).days, 3)
        values = (f"{shown:%d/%m/%Y}", str(100 + shown.day + settled), f"{shown.day * 10 + settled}.00", "1%", "")
        rows.append(tuple(map(Cell, values)))
    return tuple(rows)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_facts_equal_the_last_export(bell: Bell, tmp_path: Path, settings: Any, seed: int) -> None:
    settings.DATA_ROOTS = [tmp_path]
    world = World(tmp_path)
    for day in MONTH:
        for name, rows in (("merged", orders), ("products", products), ("analytics", analytics)):
            world.write(name, "north", collected(day), rows(day))
    files = world.files
    assert len(files) == 3 * len(MONTH)
    shuffled = random.Random(seed)
    order = [*files, *shuffled.sample(files, len(files) // 3)]
    shuffled.shuffle(order)
    for held in order:
        assert world.sync(held, rehearse=False).state == ItemState.COMPLETED
    world.check()
    _are_as_the_last_export(world.platform)
    _say_that_nothing_changes(world, files[-3:])


def _are_as_the_last_export(platform: str) -> None:
    """Figures of the last day, written down once more without the model."""
    found = OrderLine.objects.filter(platform=platform)
    assert found.count() == 30 + sum(min((30 - number) // 7, 2) for number in range(1, 31))
    first = found.get(order_id="A1", line_ordinal=1, quantity=1)
    assert (first.order_status, first.order_amount, first.profit) == ("completed", Decimal(50), Decimal("29.25"))
    assert sum(line.order_amount or 0 for line in found) == sum(20 + number + 30 - number for number in range(1, 31))
    figures = ProductMetric.objects.filter(platform=platform)
    assert {(row.product_id, row.sales_amount, row.period_start, row.period_end) for row in figures} == {
        (f"P{number}", Decimal(number * 30), date(2026, 3, 1), date(2026, 3, 30)) for number in range(1, PRODUCTS + 1)
    }
    visits = {row.metric_date: row.visitors for row in TrafficMetric.objects.filter(platform=platform)}
    assert visits == {day: 100 + day.day + min(30 - day.day, 3) for day in MONTH}


def _say_that_nothing_changes(world: World, last: list[Held]) -> None:
    for held in last:
        counts = counts_of(world.sync(held))
        assert counts["unchanged"] == counts["read"]
