"""What only the reader of a file could see: settled by a correction of the very cell, or by a person's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.choices import QuarantineState
from datasync.models import AuditEntry, CatalogFile, HeaderSet, QuarantinedRow
from datasync.quarantine import check, services
from tests.quarantine_files import HEADER, bad, inbox, line, of, row_of, run, synced
from tests.quarantine_rows import make_file, make_row
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]
MANY = [line(f"G{number}") for number in range(40)]
TWICE = [*HEADER, "Extra", "Extra"]


def doubted(file: CatalogFile, header: str, *, value: str = "", code: str = "INVALID_CHARACTER") -> QuarantinedRow:
    """A row in quarantine whose cells are fine, but for what the reader says of it; its last columns are equal."""
    row = row_of(file, 42)
    row.header_set = HeaderSet.objects.get_or_create(digest="twice", defaults={"headers": TWICE})[0]
    row.values = [*(text.replace("abc", "20.00") for text in row.values), "ok", "2798494601500000000"]
    row.reasons = [{"header": header, "code": code, "value": value}]
    row.save()
    return row


@pytest.fixture
def file(inbox: Path) -> CatalogFile:
    return synced(inbox, *MANY, bad("A2"))


def test_of_equal_headers_the_very_column_settles(file: CatalogFile) -> None:
    row = doubted(file, "Extra", value="2798494601500000000")
    services.correct(row_id=row.pk, given={"#14": "harmless"}, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).rejected == 1
    services.correct(row_id=row.pk, given={"#15": "2798494601500000001"}, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}


def test_where_it_is_not_clear_which_column_all_of_them_settle(file: CatalogFile) -> None:
    row = doubted(file, "Extra")
    assert [columns for _reason, columns in check.unsettled(row)] == [[13, 14]]
    services.correct(row_id=row.pk, given={"#15": "1"}, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).rejected == 1
    services.correct(row_id=row.pk, given={"#14": "1"}, actor=None, sight=EVERYTHING)
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).released == 1


@pytest.mark.parametrize("header", ["", "Extra", "Order Status"])
def test_a_person_confirms_the_row_as_it_stands(file: CatalogFile, header: str) -> None:
    row = doubted(file, header, code="WRONG_COLUMN_COUNT" if not header else "INVALID_CHARACTER")
    before = row.context
    told = services.correct(row_id=row.pk, given={}, confirmed=True, actor=None, dry_run=True, sight=EVERYTHING)
    assert told.reasons == []
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).rejected == 1
    told = services.correct(row_id=row.pk, given={}, confirmed=True, actor=None, sight=EVERYTHING)
    assert (told.reasons, told.row.state) == ([], QuarantineState.CORRECTED)
    change = AuditEntry.objects.latest("pk").detail["changes"][0]
    assert change["row"] == 42
    row.refresh_from_db()
    assert row.context == before
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}


def test_many_rows_are_confirmed(file: CatalogFile) -> None:
    row = doubted(file, "")
    told = services.confirm_many(filters=of(row), actor=None, dry_run=True, sight=EVERYTHING)
    done = services.confirm_many(filters=of(row), actor=None, sight=EVERYTHING)
    assert (told.corrected, done.corrected, done.unchanged) == (1, 1, 0)
    assert services.confirm_many(filters=of(row), actor=None, sight=EVERYTHING).unchanged == 1


def test_what_the_cells_say_cannot_be_confirmed(file: CatalogFile) -> None:
    row = row_of(file, 42)
    told = services.correct(row_id=row.pk, given={}, confirmed=True, actor=None, sight=EVERYTHING)
    assert (told.changed, [reason["code"] for reason in told.reasons]) == (0, ["INVALID_NUMBER"])


def test_a_confirmation_survives_the_next_sync(inbox: Path) -> None:
    file = synced(inbox, *MANY, line("A2", recipient="a\0b"))
    row = row_of(file, 42)
    assert row.reasons[0]["code"] == "INVALID_CHARACTER"
    services.correct(row_id=row.pk, given={}, confirmed=True, actor=None, sight=EVERYTHING)
    run(file)
    assert services.release(filters=of(row_of(file, 42)), actor=None, sight=EVERYTHING).outcomes == {"inserted": 1}


def test_what_one_correction_has_in_common_is_kept_once() -> None:
    file = make_file()
    for number in range(2, 12):
        make_row(file, number, "A", f"x{number}", "")
    services.correct_many(
        filters=of(*file.quarantined.all()), header="Note", replacement="y" * 30_000, actor=None, sight=EVERYTHING
    )
    detail = AuditEntry.objects.get().detail
    assert detail["shared"] == {"column": 3, "header": "Note", "to": "y" * 30_000}
    assert detail["changes"][0] == {"row": 2, "from": None}
