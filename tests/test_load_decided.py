"""What people have decided on rows of a file holds at its next sync, and what they have corrected stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datasync.choices import FileState, ItemState, QuarantineState
from datasync.exceptions import QuarantineRefused
from datasync.ingest.load.outcome import file_state
from datasync.ingest.plan import Counts
from datasync.models import OrderLine, QuarantinedRow
from datasync.remarks import Remark, RemarkCode
from datasync.runs.finish import outcome
from datasync.runs.words import remark_in_words
from tests.decided_rows import DAY, NO_DAY, Desk, decide, facts, release, said
from tests.sheets import Row

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = pytest.mark.parametrize("size", [1000, 2, 1])


@pytest.fixture
def desk() -> Desk:
    return Desk()


ROWS: list[Row] = [
    ("A1", "S1", NO_DAY, "Ana", "5"),
    (None, "S1", None, None, None),
    ("A2", "S1", NO_DAY, "Bob", "7\x00"),
    ("A3", "S1", DAY, "Cy", "1"),
    ("A3", "S1", NO_DAY, "Cy", None),
    ("A3", "S1", DAY, "Cy", None),
]


@SIZES
def test_a_sync_after_decisions_changes_nothing(desk: Desk, size: int) -> None:
    first = desk.sync(ROWS, size=size)
    assert (first.counts.inserted, first.counts.quarantined) == (2, 4)
    assert [fact[3] for fact in facts()] == [1, 3]
    release(desk, 2, {2: DAY})
    release(desk, 6, {2: DAY})
    decide(4, QuarantineState.DISCARDED)
    before = facts()
    assert [fact[3] for fact in before] == [1, 1, 2, 3]
    waiting = set(QuarantinedRow.objects.values_list("sheet_row", "state"))
    for _ in range(2):
        result = desk.sync(ROWS, size=size)
        assert result.counts == Counts(read=6, unchanged=4, quarantined=2)
        assert (result.discarded, result.warnings) == (1, [])
        assert facts() == before
        assert set(QuarantinedRow.objects.values_list("sheet_row", "state")) == waiting


def test_a_line_is_filled_from_one_that_was_decided_on(desk: Desk) -> None:
    rows = [("A1", "S1", DAY, "Ana", "x"), (None, "S2", None, None, None)]
    desk.sync(rows)
    decide(2, QuarantineState.DISCARDED)
    desk.sync(rows)
    assert OrderLine.objects.get().buyer_name == "Ana"
    assert OrderLine.objects.get().context == f'{{"f":{{"0":"A1","2":"{DAY}","3":"Ana"}}}}'


@pytest.mark.parametrize("state", [QuarantineState.RELEASED, QuarantineState.DISCARDED])
def test_other_content_in_the_same_row_is_judged_anew(desk: Desk, state: QuarantineState) -> None:
    bad = ("A1", "S1", NO_DAY, "Ana", "5")
    desk.sync([bad])
    decide(2, state)
    assert desk.sync([("A1", "S1", DAY, "Ana", "5")]).counts == Counts(read=1, inserted=1)
    assert desk.sync([("A1", "S1", "30/02/2026", "Ana", "5")]).counts == Counts(read=1, quarantined=1)
    assert QuarantinedRow.objects.filter(state=QuarantineState.OPEN).count() == 1
    assert desk.sync([("A0", "S1", DAY, "Ana", "5"), bad]).counts == Counts(read=2, inserted=1, quarantined=1)


def test_the_last_decision_on_the_same_cells_counts(desk: Desk) -> None:
    bad = ("A1", "S1", NO_DAY, "Ana", "5")
    desk.sync([bad])
    release(desk, 2, {2: DAY})
    row = QuarantinedRow.objects.get()
    row.pk, row.corrected = None, {"2": DAY, "3": "Bea"}
    row.save()
    assert said(desk.sync([bad])) == {"read": 1, "updated": 1}
    assert OrderLine.objects.get().buyer_name == "Bea"
    row.pk, row.state = None, QuarantineState.DISCARDED
    row.save()
    result = desk.sync([bad])
    assert (said(result), result.discarded) == ({"read": 1, "quarantined": 1}, 1)


def test_only_undecided_rows_stop_a_strict_sync(desk: Desk) -> None:
    rows = [("A1", "S1", NO_DAY, "Ana", "5")]
    with pytest.raises(QuarantineRefused):
        desk.sync(rows, allow_quarantine=False)
    desk.sync(rows)
    decide(2, QuarantineState.DISCARDED)
    assert desk.sync(rows, allow_quarantine=False).rejected_by_reason == {}


@SIZES
def test_a_correction_stays_with_its_row(desk: Desk, size: int) -> None:
    desk.sync(ROWS, size=size)
    corrected = {"2": "2026-03-03"}
    QuarantinedRow.objects.filter(sheet_row__in=(2, 4)).update(corrected=corrected, state=QuarantineState.CORRECTED)
    moved = [("A1", "S1", "30/02/2026", "Ana", "5"), *ROWS[1:]]
    desk.sync(moved, size=size)
    kept = QuarantinedRow.objects.values_list("sheet_row", "state", "corrected")
    assert sorted(kept)[:3] == [
        (2, QuarantineState.OPEN, None),
        (3, QuarantineState.OPEN, None),
        (4, QuarantineState.CORRECTED, corrected),
    ]


def test_refused_rows_keep_what_they_had_from_around_them(desk: Desk) -> None:
    desk.plan = replace(desk.plan, totals_on_every_line=True)
    rows = [("A1", "S1", DAY, "Ana", "5"), (None, "S1", None, None, "x"), (None, "S9", "?", None, "5")]
    desk.sync(rows)
    first, second = QuarantinedRow.objects.order_by("sheet_row").values_list("context", flat=True)
    assert first is not None
    assert first.startswith(f'{{"f":{{"0":"A1","2":"{DAY}","3":"Ana"}},"l":1,"o":2,"i":"')
    assert second is None


@pytest.mark.parametrize(
    ("counts", "discarded", "state"),
    [
        (Counts(read=1, inserted=1), 0, FileState.INGESTED),
        (Counts(read=2, inserted=1, quarantined=1), 0, FileState.PARTIAL),
        (Counts(read=2, quarantined=2), 1, FileState.QUARANTINED),
        (Counts(read=2, unchanged=1, quarantined=1), 1, FileState.INGESTED),
        (Counts(read=2, quarantined=2), 2, FileState.INGESTED),
    ],
)
def test_a_file_stands_by_the_rows_that_wait_for_a_decision(counts: Counts, discarded: int, state: FileState) -> None:
    item = ItemState.COMPLETED if state is FileState.INGESTED else ItemState.PARTIAL
    assert file_state(counts, discarded=discarded) == state
    assert outcome(counts, discarded=discarded) == (item, state)


def test_corrections_that_are_not_needed_any_more_are_told(desk: Desk) -> None:
    desk.sync(ROWS)
    corrected = {"2": "2026-03-03"}
    QuarantinedRow.objects.filter(sheet_row__in=(2, 4)).update(corrected=corrected, state=QuarantineState.CORRECTED)
    rows = [("A1", "S1", DAY, "Ana", "5"), *ROWS[1:]]
    result = desk.sync(rows)
    assert result.warnings == [Remark(RemarkCode.CORRECTIONS_DROPPED, {"count": 1})]
    assert "any more: 1." in remark_in_words(result.warnings[0].document)["message"]
    assert desk.sync(rows).warnings == []
