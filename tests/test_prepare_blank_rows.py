"""A row of nothing but white space is no row of data."""

from __future__ import annotations

from datasync.fields import Domain
from datasync.ingest.plan import CellProblem, Plan
from datasync.ingest.prepare import Preparer
from datasync.reasons import Reason
from tests.sheets import ListSheet, Row, make_plan

FIELDS = ("order_id", "quantity", "")
BLANK: Row = ("  ", None, "\u200b\t")


def plan() -> Plan:
    return make_plan(Domain.ORDERS, FIELDS, identity=("order_id",), required=("order_id",))


def test_rows_of_white_space_are_neither_read_nor_refused() -> None:
    (part,) = Preparer(plan()).parts(ListSheet(FIELDS, [BLANK, ("A1", "1", None), BLANK, ("合计", "1", None), BLANK]))
    assert (part.read, part.totals, part.rejected) == (2, 1, [])
    assert part.rows["sheet_row"].to_list() == [3]


def test_a_sheet_of_white_space_has_no_rows() -> None:
    (part,) = Preparer(plan()).parts(ListSheet(FIELDS, [BLANK, BLANK]))
    assert (part.read, len(part.rows), part.rejected) == (0, 0, [])


def test_a_blank_row_in_which_the_reader_saw_something_is_refused() -> None:
    problem = CellProblem(2, None, Reason.WRONG_COLUMN_COUNT, "surplus")
    (part,) = Preparer(plan()).parts(ListSheet(FIELDS, [BLANK, ("A1", "1", None)], problems=[problem]))
    assert (part.read, [row.row for row in part.rejected]) == (2, [2])


def test_a_row_that_says_nothing_in_words_is_a_row() -> None:
    (part,) = Preparer(plan()).parts(ListSheet(FIELDS, [("-", None, None), ("A1", "1", None)]))
    assert (part.read, [row.row for row in part.rejected]) == (2, [2])
