"""Released rows are judged again under the current template and loaded once, as a sync would have loaded them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from datasync.access import EVERYTHING
from datasync.choices import AuditAction, FileState, QuarantineState, TemplateOrigin, TemplateState
from datasync.exceptions import FileBusy, NoTemplate, RowNotFound
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.mapping import services as mapping
from datasync.mapping.store import to_template
from datasync.models import AuditEntry, CatalogFile, HeaderTemplate, OrderLine, QuarantinedRow, SyncTaskFile
from datasync.quarantine import services
from datasync.quarantine.selectors import Filters, history
from datasync.runs import services as runs
from tests.quarantine_files import AMOUNT, bad, facts, inbox, line, of, row_of, run, synced
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]

MANY = [line(f"G{number}") for number in range(40)]
"""Good lines enough for a file not to look as if its column of prices held something else."""


def correct(row: QuarantinedRow, **given: str | None) -> services.Corrected:
    names = {"price": AMOUNT, "order": "Order ID", "sku": "SKU Reference No.", "date": "Order Creation Date"}
    return services.correct(
        row_id=row.pk, given={names[key]: text for key, text in given.items()}, actor=None, sight=EVERYTHING
    )


def release(*rows: QuarantinedRow, dry_run: bool = False) -> services.Released:
    return services.release(filters=of(*rows), actor=None, dry_run=dry_run, sight=EVERYTHING)


def check_books(file: CatalogFile) -> Counts:
    file.refresh_from_db()
    counts = Counts(**{name: file.rows[name] for name in COUNT_NAMES})
    assert counts.balanced
    return counts


def test_a_corrected_row_is_loaded_once_and_the_file_is_whole(inbox: Path, admin_user: User) -> None:
    file = synced(inbox, line("A1"), bad("A2"))
    row = row_of(file, 3)
    assert services.correct(row_id=row.pk, given={AMOUNT: " 12.50 "}, actor=admin_user, sight=EVERYTHING).reasons == []
    given = services.release(filters=of(row), actor=admin_user, sight=EVERYTHING)
    assert (given.outcomes, given.rejected, given.reached.decided) == ({"inserted": 1}, 0, 0)
    fact = OrderLine.objects.get(order_id="A2")
    assert (fact.unit_price, fact.sheet_row, fact.first_sheet_row) == (Decimal("12.5"), 3, 3)
    row.refresh_from_db()
    assert (row.state, row.record_key, row.outcome, row.decided_by) == (
        QuarantineState.RELEASED, fact.record_key, "inserted", admin_user,
    )  # fmt: skip
    assert row.decided_at is not None
    counts = check_books(file)
    assert (file.state, counts.inserted, counts.quarantined) == (FileState.INGESTED, 2, 0)
    again = release(row)
    assert (again.released, again.reached.decided) == (0, 1)
    assert OrderLine.objects.count() == 2
    assert [entry.action for entry in history(row)] == [AuditAction.ROWS_RELEASED, AuditAction.ROWS_CORRECTED]
    assert AuditEntry.objects.filter(actor_name="admin").count() == 2


def test_a_released_row_equals_what_a_sync_would_have_stored(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"))
    correct(row_of(file, 3), price="12.50")
    release(row_of(file, 3))
    later = synced(inbox, line("A1"), line("A2", price="12.50"), day=7)
    assert (later.rows["unchanged"], later.rows["inserted"], later.rows["updated"]) == (2, 0, 0)


def test_the_next_sync_of_the_file_leaves_a_released_row_alone(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"))
    correct(row_of(file, 3), price="12.50")
    release(row_of(file, 3))
    end = run(file)
    assert (end.file.rows["unchanged"], end.file.rows["quarantined"], end.file.state) == (2, 0, FileState.INGESTED)
    assert end.file.quarantined.count() == 1
    assert facts("order_id", "unit_price") == [("A1", Decimal(20)), ("A2", Decimal("12.5"))]


def test_a_row_that_is_still_wrong_stays_with_its_new_reasons(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"), bad("A3"))
    correct(row_of(file, 3), price="12", date="31/02")
    given = release(row_of(file, 3), row_of(file, 4))
    assert (given.released, given.rejected) == (0, 2)
    reasons = {one.sheet_row: [(why["header"], why["code"]) for why in one.reasons] for one in given.kept}
    assert reasons[4] == [(AMOUNT, "INVALID_NUMBER")]
    assert [header for header, _code in reasons[3]] == ["Order Creation Date"]
    row = row_of(file, 3)
    assert (row.state, row.reasons[0]["header"]) == (QuarantineState.CORRECTED, "Order Creation Date")
    assert check_books(file).quarantined == 2
    assert file.state == FileState.PARTIAL


def test_a_rehearsal_says_the_same_and_writes_nothing(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"), bad("A2"), bad("A3"))
    for number in (3, 4):
        correct(row_of(file, number), price="12.50")
    entries, before = AuditEntry.objects.count(), list(QuarantinedRow.objects.values())
    told = services.release(filters=Filters(file_ids=[file.pk]), actor=None, dry_run=True, sight=EVERYTHING)
    assert (facts("order_id"), AuditEntry.objects.count()) == ([("A1",)], entries)
    assert list(QuarantinedRow.objects.values()) == before
    assert check_books(file).quarantined == 3
    done = services.release(filters=Filters(file_ids=[file.pk]), actor=None, sight=EVERYTHING)
    assert (told.outcomes, told.rejected, told.kept) == (done.outcomes, done.rejected, done.kept)
    assert done.outcomes == {"inserted": 2}


def test_a_corrected_order_joins_the_other_lines_of_its_file_without_overwriting_any(inbox: Path) -> None:
    file = synced(inbox, line("A1"), line("A1"), bad("B1"), bad("A1"))
    correct(row_of(file, 4), price="1", order="A1")
    assert release(row_of(file, 4)).outcomes == {"inserted": 1}
    assert facts("order_id", "line_ordinal", "sheet_row") == [("A1", 1, 2), ("A1", 2, 3), ("A1", 4, 4)]
    correct(row_of(file, 5), price="2")
    assert release(row_of(file, 5)).outcomes == {"inserted": 1}
    assert facts("line_ordinal", "sheet_row") == [(1, 2), (2, 3), (3, 5), (4, 4)]


def test_many_rows_corrected_to_one_order_are_numbered_in_their_order(inbox: Path) -> None:
    file = synced(inbox, line("A1"), *(bad(f"B{number}") for number in range(5)), *MANY)
    for row in file.quarantined.all():
        correct(row, price="1", order="A1")
    assert services.release(filters=Filters(file_ids=[file.pk]), actor=None, sight=EVERYTHING).outcomes == {
        "inserted": 5
    }
    assert facts("line_ordinal", "sheet_row", order_id="A1") == [(number, number + 1) for number in range(1, 7)]


def test_a_line_that_an_older_file_brought_is_updated(inbox: Path) -> None:
    synced(inbox, line("A1", price="5.00"))
    newer = synced(inbox, line("X"), bad("B1"), day=7)
    correct(row_of(newer, 3), price="6", order="A1")
    assert release(row_of(newer, 3)).outcomes == {"updated": 1}
    assert facts("order_id", "unit_price", "file_last") == [("A1", 6, newer.pk), ("X", 20, newer.pk)]


def test_a_line_that_a_newer_file_brought_stays(inbox: Path) -> None:
    older = synced(inbox, line("X"), bad("B1"))
    newer = synced(inbox, line("A1", price="5.00"), day=7)
    correct(row_of(older, 3), price="6", order="A1")
    assert release(row_of(older, 3)).outcomes == {"stale": 1}
    assert ("A1", 5, newer.pk) in facts("order_id", "unit_price", "file_last")
    assert check_books(older).stale == 1


def test_what_a_newer_file_confirmed_is_not_overwritten_and_confirmations_are_kept(inbox: Path) -> None:
    synced(inbox, line("A1"), line("A2"))
    newer = synced(inbox, line("A1"), bad("A2"), day=7)
    keys = bytes(newer.confirmed.keys)
    correct(row_of(newer, 3), price="20.00")
    assert release(row_of(newer, 3)).outcomes == {"unchanged": 1}
    newer.refresh_from_db()
    after = bytes(CatalogFile.objects.get(pk=newer.pk).confirmed.keys)
    assert len(keys) == 16
    assert len(after) == 32
    assert keys in after


def test_amounts_of_an_order_are_not_multiplied(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A1", sku="S2"), bad("A9", sku="S3"), bad("A9", sku="S4"))
    for number in (3, 4, 5):
        correct(row_of(file, number), price="1")
    correct(row_of(file, 4), order="A1")
    services.release(filters=Filters(file_ids=[file.pk]), actor=None, sight=EVERYTHING)
    for order in ("A1", "A9"):
        known = OrderLine.objects.filter(order_id=order, order_amount__isnull=False)
        assert [(one.sheet_row, one.order_amount) for one in known] == [({"A1": 2, "A9": 5}[order], Decimal(20))]


def test_what_only_the_reader_could_see_needs_a_correction(inbox: Path) -> None:
    file = synced(inbox, line("A1"), line("A2", recipient="a\0b"))
    row = row_of(file, 3)
    assert row.reasons[0]["code"] == "INVALID_CHARACTER"
    assert release(row).rejected == 1
    services.correct(row_id=row.pk, given={"Recipient": "Ana"}, actor=None, sight=EVERYTHING)
    assert release(row).outcomes == {"inserted": 1}


def test_rows_are_judged_by_the_template_of_today(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"))
    template = file.template
    assert template is not None
    read = to_template(template)
    told = tuple(replace(one, field=None) if one.header == AMOUNT else one for one in read.columns)
    draft = mapping.new_version(replace(read, columns=told), origin=TemplateOrigin.OPERATOR, actor=None)
    mapping.publish(draft)
    assert release(row_of(file, 3)).outcomes == {"inserted": 1}
    assert row_of(file, 3).template_id == draft.pk


def test_without_a_template_nothing_is_released_and_it_says_so(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"))
    HeaderTemplate.objects.update(state=TemplateState.ARCHIVED)
    with pytest.raises(NoTemplate):
        release(row_of(file, 3))
    assert row_of(file, 3).state == QuarantineState.OPEN
    told = correct(row_of(file, 3), price="1")
    assert (told.changed, isinstance(told.hindrance, NoTemplate)) == (1, True)


def test_a_file_that_is_being_synced_is_refused_and_does_not_stop_the_others(inbox: Path) -> None:
    busy, free = synced(inbox, bad("A1")), synced(inbox, bad("B1"), day=7)
    for file in (busy, free):
        correct(row_of(file, 2), price="1")
    task = runs.submit_single(file_id=busy.pk, owner=None, sight=EVERYTHING)
    with pytest.raises(FileBusy) as raised:
        release(row_of(busy, 2))
    assert raised.value.params == {"task_id": task.task_id}
    given = release(row_of(busy, 2), row_of(free, 2))
    assert (given.outcomes, given.reached.busy_file_ids) == ({"inserted": 1}, [busy.pk])


def test_a_replaced_file_with_a_sync_at_work_is_busy_too(inbox: Path) -> None:
    file = synced(inbox, bad("A1"))
    runs.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    CatalogFile.objects.filter(pk=file.pk).update(state=FileState.PENDING)
    with pytest.raises(FileBusy):
        release(row_of(file, 2))
    SyncTaskFile.objects.update(state="cancelled")
    assert release(row_of(file, 2)).rejected == 1


def test_unknown_ids(inbox: Path) -> None:
    with pytest.raises(RowNotFound):
        services.release(filters=Filters(ids=[404]), actor=None, sight=EVERYTHING)
    row = row_of(synced(inbox, bad("A1")), 2)
    unknown = row.pk + 404
    given = services.release(filters=Filters(ids=[unknown, row.pk]), actor=None, sight=EVERYTHING)
    assert (given.reached.missing_ids, given.rejected) == ([unknown], 1)


def test_rows_go_in_batches(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasync.quarantine.batches.MOST_AT_ONCE", 3)
    file = synced(inbox, *(bad("A1") for _ in range(8)), *MANY)
    services.correct_many(filters=Filters(), header=AMOUNT, replacement="2", actor=None, sight=EVERYTHING)
    told = services.release(filters=Filters(), actor=None, dry_run=True, sight=EVERYTHING)
    done = services.release(filters=Filters(), actor=None, sight=EVERYTHING)
    assert done.outcomes == told.outcomes == {"inserted": 8}
    assert facts("line_ordinal", "sheet_row", order_id="A1") == [(number, number + 1) for number in range(1, 9)]
    assert OrderLine.objects.filter(order_id="A1", order_amount__isnull=False).count() == 1
    assert check_books(file).inserted == 8 + len(MANY)
