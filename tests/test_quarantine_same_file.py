"""A released row among what its own file holds under the same key: as the file's own sync would have judged it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.catalog.services import catalogue_path
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.models import CatalogFile, OrderLine
from datasync.quarantine import services
from tests.quarantine_files import AMOUNT, bad, facts, inbox, line, of, row_of, run, synced, tell_templates, text
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
MANY = [line(f"G{number}") for number in range(40)]
LINE = ("order_id", "line_ordinal", "sheet_row", "unit_price")


def content(inbox: Path, *lines: list[str]) -> CatalogFile:
    """The same file again, with these lines."""
    path = inbox / "shopee_orders_daily_20260306_100000.csv"
    path.write_text(text(lines))
    return run(catalogue_path(path)).file


def fix(file: CatalogFile, at: int, order: str, *, price: str = "7", **cells: str) -> services.Released:
    """Say of which order the row at this place is, and release it."""
    row = row_of(file, at)
    services.correct(row_id=row.pk, given={AMOUNT: price, "Order ID": order, **cells}, actor=None, sight=EVERYTHING)
    return services.release(filters=of(row), actor=None, sight=EVERYTHING)


def check_settled(file: CatalogFile) -> None:
    """The books add up, and syncing the file again changes nothing."""
    file.refresh_from_db()
    assert Counts(**{name: file.rows[name] for name in COUNT_NAMES}).balanced
    before = facts("record_key", "content_hash", "order_amount", *LINE)
    rows = run(file).file.rows
    assert (rows["inserted"], rows["updated"], rows["quarantined"]) == (0, 0, 0)
    assert facts("record_key", "content_hash", "order_amount", *LINE) == before


def test_a_line_that_stands_unchanged_in_new_content_is_not_overwritten(inbox: Path) -> None:
    content(inbox, line("A1"), line("A2"), *MANY)
    file = content(inbox, line("A1"), bad("A2x"), line("A2"), *MANY)
    assert fix(file, 3, "A2").outcomes == {"inserted": 1}
    assert facts("order_id", "line_ordinal", "unit_price", order_id="A2") == [("A2", 1, 20), ("A2", 2, 7)]
    check_settled(file)


def test_rows_that_were_typed_again_are_of_no_other_content_for_it(inbox: Path) -> None:
    content(inbox, line("A1"), line("A2"), *MANY)
    file = content(inbox, line("A1"), bad("A2x"), line("N1"), *MANY)
    OrderLine.objects.update(updated_at=timezone.now())  # as a remap leaves them
    assert fix(file, 3, "A2").outcomes == {"updated": 1}
    assert facts(*LINE, order_id="A2") == [("A2", 1, 3, 7)]
    check_settled(file)


def test_a_line_that_a_newer_export_has_overtaken_keeps_its_number(inbox: Path) -> None:
    synced(inbox, line("A2", price="30"), *MANY, day=7)
    file = synced(inbox, line("A2"), bad("A2x"), *MANY, day=6)
    assert fix(file, 3, "A2").outcomes == {"inserted": 1}
    assert facts("line_ordinal", "unit_price", order_id="A2") == [(1, 30), (2, 7)]
    check_settled(file)


@pytest.mark.parametrize("gone", ["moved", "changed"])
def test_without_the_file_no_line_of_it_is_overwritten(inbox: Path, gone: str) -> None:
    content(inbox, line("A1"), line("A2"), *MANY)
    file = content(inbox, line("A1"), bad("A2x"), line("A2"), *MANY)
    path = inbox / file.original_name
    if gone == "moved":
        path.unlink()
    else:
        path.write_text(text([line("A1")]))
    assert fix(file, 3, "A2").outcomes == {"inserted": 1}
    assert facts("line_ordinal", "unit_price", order_id="A2") == [(1, 20), (2, 7)]


@pytest.mark.parametrize(("above", "outcome", "price"), [(True, "duplicates", 20), (False, "updated", 7)])
def test_the_last_of_the_sheet_wins_over_what_the_file_only_confirmed(
    inbox: Path, above: bool, outcome: str, price: int
) -> None:
    tell_templates(ordinal=False)
    synced(inbox, line("A2"), *MANY, day=5)
    lines = [bad("B2"), line("A2")] if above else [line("A2"), bad("B2")]
    file = synced(inbox, *lines, *MANY, day=6)
    assert file.rows["unchanged"] == 41
    assert fix(file, 2 if above else 3, "A2").outcomes == {outcome: 1}
    assert facts("unit_price", order_id="A2") == [(price,)]
    check_settled(file)


@pytest.mark.parametrize("ordinal", [True, False])
@pytest.mark.parametrize(("day", "given", "outcome"), [(5, "7", "updated"), (5, "9", "unchanged"), (7, "7", "stale")])
def test_what_another_export_has_placed_is_judged_by_age(
    inbox: Path, ordinal: bool, day: int, given: str, outcome: str
) -> None:
    tell_templates(ordinal=ordinal)
    synced(inbox, line("A2", price="9"), *MANY, day=day)
    file = synced(inbox, line("A1"), bad("A2"), *MANY, day=6)
    assert fix(file, 3, "A2", price=given).outcomes == {outcome: 1}
    check_settled(file)


@pytest.mark.parametrize("ordinal", [True, False])
def test_a_line_that_leaves_an_amount_to_another_is_told_as_written(inbox: Path, ordinal: bool) -> None:
    """The newer export shows the order's amount on another line; the released one is written without it."""
    tell_templates(ordinal=ordinal)
    synced(inbox, line("A2", price="9"), *MANY, day=5)
    other = line("A2", sku="S2")
    synced(inbox, other, day=7)
    file = synced(inbox, bad("A2"), *MANY, day=6)
    assert fix(file, 2, "A2").outcomes == {"updated": 1}
    assert facts("sku", "unit_price", "order_amount", order_id="A2") == [("S1", 7, None), ("S2", 20, 20)]
    check_settled(file)


def test_a_stored_line_that_still_lacks_only_what_another_has_is_unchanged(inbox: Path) -> None:
    synced(inbox, line("A2", price="7"), *MANY, day=5)
    synced(inbox, line("A2", sku="S2"), day=7)
    file = synced(inbox, bad("A2"), *MANY, day=6)
    assert fix(file, 2, "A2").outcomes == {"unchanged": 1}
    check_settled(file)
