"""Corrections: by header or by place, one row or all with the same problem; nothing is loaded by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from datasync.access import EVERYTHING
from datasync.choices import AuditAction, QuarantineState
from datasync.exceptions import InvalidRequest, RowDecided, RowNotFound
from datasync.models import AuditEntry, OrderLine
from datasync.quarantine import selectors, services, values
from datasync.quarantine.selectors import Filters
from tests.quarantine_files import AMOUNT, bad, inbox, line, of, row_of, synced
from tests.quarantine_rows import make_file, make_row
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db
TWICE = ["Order ID", "Amount", "Amount", "#2", ""]


@pytest.fixture
def synced_file(transactional_db: None, bell: Any, inbox: Path) -> Any:
    """A file with two rows in quarantine."""
    return synced(inbox, line("A1"), bad("A2"), bad("A3", date="31/02"))


def test_what_is_still_wrong_is_told_and_nothing_is_loaded(synced_file: Any, admin_user: User) -> None:
    row = row_of(synced_file, 4)
    told = services.correct(row_id=row.pk, given={AMOUNT: "12,5x"}, actor=admin_user, sight=EVERYTHING)
    assert {(why["header"], why["code"]) for why in told.reasons} == {
        (AMOUNT, "INVALID_NUMBER"), ("Order Creation Date", "INVALID_DATE"),
    }  # fmt: skip
    told = services.correct(
        row_id=row.pk, given={AMOUNT: "12.5", "#4": "2026-03-06 10:00"}, actor=admin_user, sight=EVERYTHING
    )
    assert (told.reasons, told.hindrance, told.row.state) == ([], None, QuarantineState.CORRECTED)
    assert row_of(synced_file, 4).corrected == {"3": "2026-03-06 10:00", "8": "12.5"}
    assert OrderLine.objects.count() == 1
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert (entry.action, entry.actor, entry.rows) == (AuditAction.ROWS_CORRECTED, admin_user, 1)
    assert entry.detail["changes"][0] == {"row": 4, "column": 9, "header": AMOUNT, "from": "12,5x", "to": "12.5"}


def test_a_correction_equal_to_the_original_is_none(synced_file: Any) -> None:
    row = row_of(synced_file, 3)
    assert services.correct(row_id=row.pk, given={AMOUNT: " abc "}, actor=None, sight=EVERYTHING).changed == 0
    assert not AuditEntry.objects.filter(action="rows_corrected").exists()
    services.correct(row_id=row.pk, given={AMOUNT: "1"}, actor=None, sight=EVERYTHING)
    told = services.correct(row_id=row.pk, given={AMOUNT: "abc"}, actor=None, sight=EVERYTHING)
    assert (told.changed, told.row.state, row_of(synced_file, 3).corrected) == (1, QuarantineState.OPEN, None)


def test_a_blank_correction_is_a_blank_cell(synced_file: Any) -> None:
    row = row_of(synced_file, 3)
    for blank in ("", "  ", None):
        told = services.correct(row_id=row.pk, given={AMOUNT: blank}, actor=None, sight=EVERYTHING)
        assert told.reasons == []
        assert row_of(synced_file, 3).corrected == {"8": None}


def test_a_rehearsed_correction_is_judged_and_not_kept(synced_file: Any) -> None:
    row = row_of(synced_file, 3)
    told = services.correct(row_id=row.pk, given={AMOUNT: "1"}, actor=None, dry_run=True, sight=EVERYTHING)
    assert (told.changed, told.reasons) == (1, [])
    assert row_of(synced_file, 3).corrected is None


@pytest.mark.parametrize(("name", "position"), [("Order ID", 0), ("#1", 0), ("#3", 2), ("#2", 3), ("", 4), ("#5", 4)])
def test_columns_are_named_by_header_or_by_place(name: str, position: int) -> None:
    assert values.position_of(TWICE, name) == position


@pytest.mark.parametrize(("name", "says"), [("Amount", "#2, #3"), ("Price", "Price"), ("#6", "#6"), ("#0", "#0")])
def test_columns_that_are_not_there_or_not_clear(name: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        values.position_of(TWICE, name)
    assert says in raised.value.message


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 32_768])
def test_what_no_cell_holds_is_refused(text: str) -> None:
    row = make_row(make_file(), 2, "A", "x", "")
    with pytest.raises(InvalidRequest, match="Amount"):
        services.correct(row_id=row.pk, given={"Amount": text}, actor=None, sight=EVERYTHING)


def test_one_cell_given_twice_is_refused() -> None:
    row = make_row(make_file(), 2, "A", "x", "")
    with pytest.raises(InvalidRequest, match="twice"):
        services.correct(row_id=row.pk, given={"Amount": "1", "#2": "2"}, actor=None, sight=EVERYTHING)


def test_formula_text_and_markup_are_only_text() -> None:
    row = make_row(make_file(), 2, "A", "x", "")
    services.correct(row_id=row.pk, given={"Note": "=HYPERLINK(1)<script>"}, actor=None, sight=EVERYTHING)
    assert selectors.one(row.pk, sight=EVERYTHING).corrected == {"2": "=HYPERLINK(1)<script>"}


def test_rows_that_are_decided_or_unknown() -> None:
    row = make_row(make_file(), 2, "A", "x", "", state=QuarantineState.DISCARDED)
    with pytest.raises(RowDecided):
        services.correct(row_id=row.pk, given={"Amount": "1"}, actor=None, sight=EVERYTHING)
    with pytest.raises(RowNotFound):
        services.correct(row_id=404, given={"Amount": "1"}, actor=None, sight=EVERYTHING)


def test_one_correction_for_all_rows_with_the_same_problem() -> None:
    first, second = make_file(), make_file("b.csv")
    for number, amount in enumerate(("n/v", "n/v", "zwei"), start=2):
        make_row(first, number, f"A{number}", amount, "")
    make_row(first, 9, "A9", "n/v", "", code="INVALID_DATE")
    make_row(second, 2, "B", "n/v", headers=["ID", "GMV"])
    asked: dict[str, Any] = {"filters": Filters(), "header": "Amount", "code": "INVALID_NUMBER", "value": "n/v"}
    told = services.correct_many(**asked, replacement="0", actor=None, dry_run=True, sight=EVERYTHING)
    assert not selectors.rows(Filters(states=["corrected"]), sight=EVERYTHING).exists()
    done = services.correct_many(**asked, replacement="0", actor=None, sight=EVERYTHING)
    assert (told.corrected, told.skipped) == (done.corrected, done.skipped) == (2, 3)
    assert [row.sheet_row for row in selectors.rows(Filters(states=["corrected"]), sight=EVERYTHING)] == [2, 3]
    again = services.correct_many(**asked, replacement="0", actor=None, sight=EVERYTHING)
    assert (again.corrected, again.skipped) == (0, 5)
    assert AuditEntry.objects.get().detail["sheet_rows"] == [2, 3]


def test_an_unknown_reason_or_column_is_refused() -> None:
    row = make_row(make_file(), 2, "A", "x", "", headers=TWICE)
    with pytest.raises(InvalidRequest, match="NOPE"):
        services.correct_many(
            filters=of(row), header="Amount", code="NOPE", replacement="", actor=None, sight=EVERYTHING
        )
    with pytest.raises(InvalidRequest, match="#2, #3"):
        services.correct_many(filters=of(row), header="Amount", replacement="", actor=None, sight=EVERYTHING)


def test_many_rows_cost_a_flat_number_of_statements(django_assert_max_num_queries: Any) -> None:
    file = make_file()
    for number in range(300):
        make_row(file, number + 2, "A", "x", "")
    with django_assert_max_num_queries(20):
        done = services.correct_many(filters=Filters(), header="Amount", replacement="1", actor=None, sight=EVERYTHING)
    assert done.corrected == 300
