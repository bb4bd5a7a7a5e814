"""Discarded rows: with a reason, out of the way of every later sync, still in the books."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from datasync.access import EVERYTHING
from datasync.choices import AuditAction, FileState, QuarantineState
from datasync.exceptions import InvalidRequest
from datasync.models import AuditEntry, QuarantinedRow
from datasync.quarantine import services
from datasync.quarantine.selectors import Filters, history
from tests.quarantine_files import bad, inbox, line, of, row_of, run, synced
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell")]


def test_a_file_whose_every_rejected_row_is_discarded_waits_for_nobody(inbox: Path, admin_user: User) -> None:
    file = synced(inbox, line("A1"), bad("A2"), bad("A3"))
    told = services.discard(filters=of(row_of(file, 3)), note=" no order ", actor=admin_user, sight=EVERYTHING)
    file.refresh_from_db()
    assert (told.discarded, file.state, file.rows["quarantined"]) == (1, FileState.PARTIAL, 2)
    row = row_of(file, 3)
    assert (row.state, row.note, row.decided_by) == (QuarantineState.DISCARDED, "no order", admin_user)
    entry = history(row)[0]
    assert (entry.action, entry.note, entry.rows) == (AuditAction.ROWS_DISCARDED, "no order", 1)
    services.discard(filters=Filters(file_ids=[file.pk]), note="none", actor=None, sight=EVERYTHING)
    file.refresh_from_db()
    assert (file.state, file.rows["quarantined"]) == (FileState.INGESTED, 2)


def test_the_next_sync_does_not_quarantine_it_again(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"))
    services.discard(filters=of(row_of(file, 3)), note="test order", actor=None, sight=EVERYTHING)
    end = run(file)
    assert (end.file.state, end.file.rows["quarantined"], end.file.rows["unchanged"]) == (FileState.INGESTED, 1, 1)
    assert list(end.file.quarantined.values_list("state", flat=True)) == [QuarantineState.DISCARDED]


def test_a_rehearsal_counts_and_writes_nothing(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"))
    before = list(QuarantinedRow.objects.values())
    assert services.discard(filters=Filters(), note="x", actor=None, dry_run=True, sight=EVERYTHING).discarded == 1
    file.refresh_from_db()
    assert (list(QuarantinedRow.objects.values()), file.state) == (before, FileState.PARTIAL)
    assert not AuditEntry.objects.filter(action="rows_discarded").exists()


@pytest.mark.parametrize("note", ["", "  ", "x" * 501, "a\0b"])
def test_it_needs_a_reason(note: str) -> None:
    with pytest.raises(InvalidRequest):
        services.discard(filters=Filters(), note=note, actor=None, sight=EVERYTHING)


def test_what_is_decided_stays_decided(inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"))
    row: Any = row_of(file, 3)
    services.discard(filters=of(row), note="first", actor=None, sight=EVERYTHING)
    again = services.discard(filters=of(row), note="second", actor=None, sight=EVERYTHING)
    assert (again.discarded, again.reached.decided, row_of(file, 3).note) == (0, 1, "first")
    assert services.release(filters=of(row), actor=None, sight=EVERYTHING).reached.decided == 1
