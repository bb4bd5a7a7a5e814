"""Ten thousand rows at once: everything is reached, in batches, and nothing grows with the number of rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.choices import FileState
from datasync.models import AuditEntry, OrderLine
from datasync.quarantine import services
from datasync.quarantine.selectors import Filters
from tests.quarantine_files import AMOUNT, bad, inbox, line, synced
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell"), pytest.mark.slow]
BAD, GOOD = 10_000, 50


def test_ten_thousand_rows_are_corrected_and_released(inbox: Path) -> None:
    """The good lines stand first: the catalogue looks there for what a column holds."""
    good = [line(f"G{number}") for number in range(GOOD)]
    file = synced(inbox, *good, *(bad(f"B{number // 2}", sku=f"S{number}") for number in range(BAD)))
    assert file.rows["quarantined"] == BAD
    filters = Filters(file_ids=[file.pk])
    assert (
        services.correct_many(filters=filters, header=AMOUNT, replacement="1", actor=None, sight=EVERYTHING).corrected
        == BAD
    )
    with CaptureQueriesContext(connection) as queries:
        done = services.release(filters=filters, actor=None, sight=EVERYTHING)
    assert (done.outcomes, done.rejected) == ({"inserted": BAD}, 0)
    assert len(queries) < 60 * BAD / 1_000
    file.refresh_from_db()
    assert (file.state, file.rows["inserted"], file.rows["quarantined"]) == (FileState.INGESTED, BAD + GOOD, 0)
    released = OrderLine.objects.filter(order_id__startswith="B")
    assert (released.count(), released.filter(order_amount__isnull=False).count()) == (BAD, BAD // 2)
    assert AuditEntry.objects.filter(action="rows_released").count() == BAD // 1_000
