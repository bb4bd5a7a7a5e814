"""Rows whose key is another one under the corrected template: moved, swapped, merged; numbered lines stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasync.choices import QuarantineState
from datasync.models import OrderLine, QuarantinedRow, TrafficMetric
from datasync.runs.remap import parts
from tests.remap_dates import RIGHT, SWAPPED, misread, month
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    counts,
    day,
    facts,
    from_scratch,
    inbox,
    line,
    remapped,
    sync_again,
    synced,
    template_of,
    with_column,
    write_orders,
)

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("chunk", [1, 2, 9_000])
def test_days_and_months_change_places(inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(parts, "CHUNK_ROWS", chunk)
    wrong = misread()
    first = month(inbox, 1, SWAPPED[:2])
    days = [day("05/03/2026", views="3"), day("05/05/2026", views="4"), day("06/03/2026", views="5")]
    second = month(inbox, 2, days)
    third = month(inbox, 3, [day("03/05/2026", views="6")])
    assert TrafficMetric.objects.count() == 6
    new = corrected(wrong, RIGHT)
    task = remapped(new)
    assert counts(task) == {"read": 6, "updated": 6}, task.errors
    after = facts()
    for file in (first, second, third):
        item = sync_again(file)
        assert counts(item) == {"read": item.rows_read, "unchanged": item.rows_read}
    assert from_scratch(first, second, third) == after


@pytest.mark.parametrize("chunk", [1, 9_000])
def test_rows_that_become_one_are_merged_and_the_newer_file_wins(
    inbox: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(parts, "CHUNK_ROWS", chunk)
    wrong = misread()
    older = month(inbox, 1, [day("2026-03-04", views="1"), day("05/03/2026", views="2")])
    days = [day("04/03/2026", views="3"), day("2026-03-05", views="4"), day("2026-03-06", views="5")]
    newer = month(inbox, 2, [*days, day("06/03/2026", views="6")])
    assert TrafficMetric.objects.count() == 6
    task = remapped(corrected(wrong, RIGHT))
    # The newer file overwrites what the older one has there by then; of its own two rows the later one counts.
    assert counts(task) == {"read": 6, "updated": 5, "duplicates": 1}, task.errors
    after = facts()
    views = dict(TrafficMetric.objects.values_list("metric_date__day", "page_views"))
    assert views == {4: 3, 5: 4, 6: 6}
    scratch = from_scratch(older, newer)
    if chunk == 1:  # of two rows of one file the first row's number is known only where they lie in different chunks
        after, scratch = _without_first_rows(after), _without_first_rows(scratch)
    assert scratch == after


def test_a_numbered_line_that_would_be_another_row_stays_and_is_shown(inbox: Path, bell: Bell) -> None:
    file = synced(write_orders(inbox, [line("A1", sku="S1"), line("A1", sku="S1"), line("B1", sku="S2")]))
    before = facts()
    new = corrected(template_of("orders", granularity="daily"), lambda told: replace(told, identity=("order_id",)))
    task = remapped(new)
    assert counts(task) == {"read": 3, "quarantined": 3}, task.errors
    assert facts() == before
    found = QuarantinedRow.objects.order_by("sheet_row")
    assert [(row.sheet_row, row.reasons[0]["code"], row.values[0]) for row in found] == [
        (2, "IDENTITY_CHANGED", "A1"), (3, "IDENTITY_CHANGED", "A1"), (4, "IDENTITY_CHANGED", "B1"),
    ]  # fmt: skip
    file.refresh_from_db()
    assert file.state == "partial"
    assert OrderLine.objects.count() == 3


def test_rows_that_cannot_be_read_stay_and_are_shown_until_they_can(inbox: Path, bell: Bell) -> None:
    file = synced(write_orders(inbox, [line("A1", recipient=""), line("B1"), line("C1", recipient="")]))
    before = facts()
    orders = template_of("orders", granularity="daily")
    strict = corrected(orders, with_column("Recipient", field="buyer_name", required=True))
    task = remapped(strict)
    assert counts(task) == {"read": 3, "updated": 1, "quarantined": 2}, task.errors
    kept = [row for row in facts()["orders"] if row["order_id"] != "B1"]
    assert kept == [row for row in before["orders"] if row["order_id"] != "B1"]
    QuarantinedRow.objects.filter(sheet_row=2).update(corrected={"12": "Ana"}, state=QuarantineState.CORRECTED)
    again = remapped(strict)
    assert counts(again) == {"read": 3, "unchanged": 1, "quarantined": 2}
    shown = QuarantinedRow.objects.order_by("sheet_row").values_list("sheet_row", "state", "corrected")
    assert list(shown) == [(2, "corrected", {"12": "Ana"}), (4, "open", None)]
    QuarantinedRow.objects.filter(sheet_row=4).update(state=QuarantineState.DISCARDED)
    remapped(strict)
    assert QuarantinedRow.objects.count() == 2  # what a person has discarded does not come again
    mild = corrected(strict, with_column("Recipient", field="buyer_name", required=False))
    task = remapped(mild)
    assert counts(task) == {"read": 3, "updated": 3}
    assert list(QuarantinedRow.objects.order_by("sheet_row").values_list("state", flat=True)) == [
        "corrected", "discarded",
    ]  # fmt: skip
    file.refresh_from_db()
    assert file.state == "partial"  # what a person has corrected waits for that person


def _without_first_rows(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {
        domain: [{name: value for name, value in row.items() if name != "first_sheet_row"} for row in rows]
        for domain, rows in found.items()
    }
