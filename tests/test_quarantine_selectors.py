"""Quarantined rows are found by file, task, domain, state and reason."""

from __future__ import annotations

import pytest

from datasync.access import EVERYTHING
from datasync.quarantine import selectors, services
from datasync.quarantine.selectors import Filters
from tests.quarantine_rows import make_file, make_row, make_task

pytestmark = pytest.mark.django_db


def found(**filters: object) -> list[int]:
    return [row.sheet_row for row in selectors.rows(Filters(**filters), sight=EVERYTHING)]  # type: ignore[arg-type]


def test_each_filter_narrows() -> None:
    first, second = make_file(), make_file("stock.csv", domain="inventory")
    item = make_task(first, task_id="batch_a").items.get()
    row = make_row(first, 2, "A", "x", "", item=item, code="INVALID_NUMBER")
    make_row(first, 3, "B", "x", "", code="INVALID_DATE", state="discarded")
    make_row(second, 4, "C", "x", "", domain="inventory", code="INVALID_DATE")
    assert found() == [2, 3, 4]
    assert found(file_ids=[second.pk]) == [4]
    assert found(ids=[row.pk]) == [2]
    assert found(task_id="batch_a") == [2]
    assert found(domains=["inventory"]) == [4]
    assert found(states=["discarded"]) == [3]
    assert found(reasons=["INVALID_DATE"]) == [3, 4]
    assert found(reasons=["INVALID_DATE", "INVALID_NUMBER"], domains=["orders"]) == [2, 3]


def test_value_that_looks_like_a_code_is_not_taken_for_one() -> None:
    value = '"code": "INVALID_DATE"'
    make_row(make_file(), 2, "A", value, "", code="INVALID_NUMBER")
    assert found(reasons=["INVALID_DATE"]) == []


def test_reasons_are_counted_once_a_row() -> None:
    file = make_file()
    twice = [{"header": header, "code": "INVALID_DATE", "value": ""} for header in ("a", "b")]
    make_row(file, 2, "A", "x", "", reasons=twice)
    make_row(file, 3, "A", "x", "", code="INVALID_NUMBER")
    make_row(file, 4, "A", "x", "", code="INVALID_NUMBER")
    assert selectors.reason_counts(selectors.rows(sight=EVERYTHING)) == {"INVALID_NUMBER": 2, "INVALID_DATE": 1}
    assert selectors.file_counts(selectors.rows(sight=EVERYTHING)) == {file.pk: 3}


def test_listing_takes_one_query(django_assert_num_queries: object) -> None:
    for number in range(3):
        file = make_file(f"{number}.csv")
        item = make_task(file, task_id=f"batch_{number}").items.get()
        make_row(file, 2, "A", "x", "", item=item)
    with django_assert_num_queries(1):  # type: ignore[operator]
        for row in selectors.rows(sight=EVERYTHING):
            assert row.item is not None
            assert row.item.task.task_id.startswith("batch_")
            assert row.file.original_name
            assert row.header_set.headers


def test_the_history_of_a_row_is_looked_up_by_the_database(django_assert_num_queries: object) -> None:
    file = make_file()
    row, other = make_row(file, 2, "A", "x", ""), make_row(file, 12, "B", "x", "")
    for number in range(5):
        services.correct(row_id=other.pk, given={"Note": f"n{number}"}, actor=None, sight=EVERYTHING)
    filters = Filters(ids=[row.pk, other.pk])
    services.correct_many(filters=filters, header="Note", replacement="both", actor=None, sight=EVERYTHING)
    with django_assert_num_queries(1):  # type: ignore[operator]
        entries = selectors.history(row)
    assert selectors.changes_of(entries[0], 2) == [{"column": 3, "header": "Note", "from": None, "to": "both"}]
    assert (len(entries), len(selectors.history(other))) == (1, 6)


def test_of_a_long_history_the_newest_acts_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "MOST_ACTS", 2)
    row = make_row(make_file(), 2, "A", "x", "")
    for number in range(4):
        services.correct(row_id=row.pk, given={"Note": f"n{number}"}, actor=None, sight=EVERYTHING)
    told = [selectors.changes_of(entry, 2)[0]["to"] for entry in selectors.history(row)]
    assert told == ["n3", "n2"]
