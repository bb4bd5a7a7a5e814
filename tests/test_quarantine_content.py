"""Rows of a content that the file does not have any more, and of files that are deleted, are out of reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datasync.access import EVERYTHING
from datasync.catalog.deletion import delete_file, restore_file
from datasync.catalog.services import catalogue_path
from datasync.choices import FileState, QuarantineState, RowsFate
from datasync.exceptions import CorrectionsRefused, FileNotFound, RowNotFound, RowsOfOldContent
from datasync.models import CatalogFile, OrderLine
from datasync.quarantine import batches, export, selectors, services
from datasync.quarantine.selectors import Filters
from tests.quarantine_files import AMOUNT, bad, facts, inbox, line, of, row_of, run, synced, tell_templates, text
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
MANY = [line(f"G{number}") for number in range(40)]
LINE = ("order_id", "line_ordinal", "sheet_row", "unit_price")


def content(inbox: Path, *lines: list[str], synced: bool = True) -> CatalogFile:
    """The same file again, with these lines."""
    path = inbox / "shopee_orders_daily_20260306_100000.csv"
    path.write_text(text(lines))
    file = catalogue_path(path)
    return run(file).file if synced else file


def fix(file: CatalogFile, at: int, *, price: str = "7", **given: str) -> services.Released:
    """Correct a row and release it."""
    row = row_of(file, at)
    names = {"order": "Order ID"}
    told = {AMOUNT: price, **{names[name]: value for name, value in given.items()}}
    services.correct(row_id=row.pk, given=told, actor=None, sight=EVERYTHING)
    return services.release(filters=of(row), actor=None, sight=EVERYTHING)


def test_rows_of_older_content_wait_for_the_sync(inbox: Path, tmp_path: Path) -> None:
    file = content(inbox, line("A1"), bad("A2"), *MANY)
    row, sheet = row_of(file, 3), tmp_path / "rows.csv"
    services.correct(row_id=row.pk, given={AMOUNT: "7"}, actor=None, sight=EVERYTHING)
    export.write(selectors.rows(sight=EVERYTHING), sheet, format="csv")
    sheet.write_text(sheet.read_text("utf-8-sig").replace(",7,", ",8,"), "utf-8")
    content(inbox, line("A1"), bad("A2"), *MANY, line("A3"), synced=False)
    for act in (
        lambda: services.correct(row_id=row.pk, given={AMOUNT: "1"}, actor=None, sight=EVERYTHING),
        lambda: services.correct_many(filters=of(row), header=AMOUNT, replacement="1", actor=None, sight=EVERYTHING),
        lambda: services.confirm_many(filters=of(row), actor=None, sight=EVERYTHING),
        lambda: services.release(filters=of(row), actor=None, sight=EVERYTHING),
        lambda: services.discard(filters=of(row), note="x", actor=None, sight=EVERYTHING),
    ):
        with pytest.raises(RowsOfOldContent):
            act()
    assert services.import_corrections(source=sheet, actor=None, dry_run=True, sight=EVERYTHING).counts == {
        "replaced": 1
    }
    with pytest.raises(CorrectionsRefused):
        services.import_corrections(source=sheet, actor=None, sight=EVERYTHING)
    file.refresh_from_db()
    assert (row_of(file, 3).corrected, file.state) == ({"8": "7"}, FileState.PENDING)
    run(file)
    assert services.release(filters=of(row_of(file, 3)), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}


def test_rows_of_a_deleted_file_are_hidden_until_it_is_restored(inbox: Path, tmp_path: Path) -> None:
    file = content(inbox, line("A1"), bad("A2"), *MANY)
    row, sheet = row_of(file, 3), tmp_path / "rows.csv"
    services.correct(row_id=row.pk, given={AMOUNT: "7"}, actor=None, sight=EVERYTHING)
    export.write(selectors.rows(sight=EVERYTHING), sheet, format="csv")
    delete_file(file_id=file.pk, rows=RowsFate.KEEP, actor=None, here=True, sight=EVERYTHING)
    assert not selectors.rows(sight=EVERYTHING).exists()
    for act in (
        lambda: selectors.one(row.pk, sight=EVERYTHING),
        lambda: services.correct(row_id=row.pk, given={AMOUNT: "1"}, actor=None, sight=EVERYTHING),
        lambda: services.release(filters=of(row), actor=None, sight=EVERYTHING),
        lambda: services.discard(filters=of(row), note="x", actor=None, sight=EVERYTHING),
    ):
        with pytest.raises(RowNotFound):
            act()
    assert services.release(filters=Filters(file_ids=[file.pk]), actor=None, sight=EVERYTHING).released == 0
    with pytest.raises(CorrectionsRefused):
        services.import_corrections(source=sheet, actor=None, sight=EVERYTHING)
    restore_file(file_id=file.pk, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}


def test_a_file_that_is_deleted_at_this_moment_is_not_worked_on(inbox: Path) -> None:
    file = content(inbox, line("A1"), bad("A2"))
    CatalogFile.objects.filter(pk=file.pk).update(removing=RowsFate.DELETE)
    with pytest.raises(FileNotFound), batches.held(file.pk, [row_of(file, 3).pk], sight=EVERYTHING):
        pass
    assert not selectors.rows(sight=EVERYTHING).exists()


def test_a_row_that_was_loaded_before_is_the_same_line_wherever_it_stands_now(inbox: Path) -> None:
    content(inbox, line("A1"), line("A2"), *MANY)
    file = content(inbox, line("N1"), line("A1"), bad("A2"), *MANY)
    assert fix(file, 4).outcomes == {"updated": 1}
    assert facts(*LINE, order_id="A2") == [("A2", 1, 4, 7)]


def test_the_first_of_several_lines_of_an_order_keeps_its_number(inbox: Path) -> None:
    content(inbox, line("A1"), line("A1"), *MANY)
    file = content(inbox, line("N1"), bad("A1"), line("A1"), *MANY)
    assert fix(file, 3).outcomes == {"updated": 1}
    assert facts(*LINE, order_id="A1") == [("A1", 1, 3, 7), ("A1", 2, 4, 20)]


def test_an_order_that_is_corrected_back_is_the_line_of_the_older_content(inbox: Path) -> None:
    content(inbox, line("A1"), line("A2"), *MANY)
    file = content(inbox, line("A1"), bad("A2x"), line("N1"), *MANY)
    assert fix(file, 3, order="A2").outcomes == {"updated": 1}
    assert facts(*LINE, order_id="A2") == [("A2", 1, 3, 7)]


def test_a_line_that_the_new_content_has_brought_is_not_overwritten(inbox: Path) -> None:
    content(inbox, line("A1"), *MANY)
    file = content(inbox, line("A1"), bad("A2x"), line("A2"), *MANY)
    assert fix(file, 3, order="A2").outcomes == {"inserted": 1}
    assert facts(*LINE, order_id="A2") == [("A2", 1, 4, 20), ("A2", 2, 3, 7)]


def test_where_lines_are_not_numbered_older_content_gives_way(inbox: Path) -> None:
    tell_templates(ordinal=False)
    content(inbox, line("A1"), *MANY, line("A2"))
    file = content(inbox, bad("A2"), line("A1"), *MANY)
    assert fix(file, 2).outcomes == {"updated": 1}
    assert facts(*LINE, order_id="A2") == [("A2", 1, 2, 7)]


@pytest.mark.parametrize("ordinal", [True, False])
def test_equal_cells_below_another_order_are_another_row(inbox: Path, ordinal: bool) -> None:
    tell_templates(ordinal=ordinal)
    content(inbox, line("A1"), line("", sku="S2"), *MANY)
    file = content(inbox, line("", sku="S1"), line("", sku="S2"), *MANY)
    row = row_of(file, 3)
    services.correct(row_id=row.pk, given={"Order ID": "B1"}, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}
    assert facts("order_id", "sku", "sheet_row", sku="S2") == [("A1", "S2", 3), ("B1", "S2", 3)]


def test_many_equal_lines_are_numbered_in_few_statements(inbox: Path, django_assert_max_num_queries: Any) -> None:
    file = synced(inbox, *[line("P1")] * 60, bad("ZZ"), *MANY)
    row = file.quarantined.get()
    services.correct(row_id=row.pk, given={AMOUNT: "1", "Order ID": "P1"}, actor=None, sight=EVERYTHING)
    with django_assert_max_num_queries(55):
        services.release(filters=of(row), actor=None, sight=EVERYTHING)
    assert OrderLine.objects.get(sheet_row=62).line_ordinal == 61


@pytest.mark.parametrize("ordinal", [True, False])
def test_a_released_row_keeps_with_what_context_it_was_loaded(inbox: Path, ordinal: bool) -> None:
    tell_templates(ordinal=ordinal, totals_on_every_line=True)
    file = synced(inbox, *MANY, bad("A1", sku="S1"), line("A1", sku="S2"), bad("B1", sku="S3"))
    first, other = row_of(file, 42), row_of(file, 44)
    before = json.loads(other.context or "{}")
    assert before.get("o") == 1 or not ordinal
    assert fix(file, 42).released == 1
    assert fix(file, 44, order="A1").released == 1
    first.refresh_from_db()
    other.refresh_from_db()
    for row in (first, other):
        said = json.loads(row.context or "{}")
        assert said.get("l") == 1  # the line between them has brought the amounts of the order
        assert row.record_key is not None
        fact = OrderLine.objects.get(pk=row.record_key)
        assert said.get("o") == (fact.line_ordinal if ordinal else None)
        assert len(said.get("i", "")) == (32 if ordinal else 0)
    assert json.loads(other.context or "{}").get("i") != before.get("i") or not ordinal
    assert other.corrected is not None
    assert other.state == QuarantineState.RELEASED
