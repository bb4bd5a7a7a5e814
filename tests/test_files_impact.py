"""What hangs on a file is told by domain, shop and period, in as many statements for a thousand files as for one."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.catalog.impact import delete_impacts
from datasync.exceptions import DataNotFound, WrongNumberOfFiles
from datasync.models import OrderLine, ProductMetric, Shop
from tests.admin_rows import make_fact
from tests.quarantine_rows import make_file, make_row
from tests.stored_files import confirm, file_with_rows

pytestmark = pytest.mark.django_db


def test_rows_count_for_their_last_writer() -> None:
    older, newer = make_file("older.csv"), make_file("newer.csv")
    for number in range(3):
        make_fact(OrderLine, newer, file_first=older, sheet_row=number + 2)
    make_fact(OrderLine, newer)
    (first, second), missing = delete_impacts([older.pk, newer.pk], sight=EVERYTHING)
    assert missing == ()
    assert (first.rows, first.rows_of_older_exports) == (0, 0)
    assert (second.rows, second.rows_of_older_exports) == (4, 3)


def test_rows_are_told_by_domain_shop_and_period() -> None:
    file = make_file()
    other = Shop.objects.create(platform_id="shopee", shop_id="my1", name="Malaysia 1")
    for day in (1, 9):
        make_fact(OrderLine, file, period_start=date(2026, 3, day), period_end=date(2026, 3, day + 1))
    make_fact(OrderLine, file, shop=other)
    make_fact(ProductMetric, file, granularity="monthly")
    (impact,), _ = delete_impacts([file.pk], sight=EVERYTHING)
    told = {(part.domain, part.shop_id, part.granularity): part for part in impact.stored}
    assert {key: part.rows for key, part in told.items()} == {
        ("orders", "sg1", "daily"): 2,
        ("orders", "my1", "daily"): 1,
        ("products", "sg1", "monthly"): 1,
    }
    daily = told["orders", "sg1", "daily"]
    assert (daily.period_start, daily.period_end) == (date(2026, 3, 1), date(2026, 3, 10))


def test_quarantine_confirmations_and_bytes() -> None:
    file, upload = make_file("a.csv"), make_file("b.csv", root="uploads")
    make_row(file, 2, "A", "x", "")
    make_row(file, 3, "A", "x", "", state="corrected")
    make_row(file, 4, "A", "x", "", state="released")
    confirm(file, 7)
    (one, two), _ = delete_impacts([file.pk, upload.pk], sight=EVERYTHING)
    assert (one.undecided, one.decided, one.confirmations, one.removes_bytes) == (2, 1, 7, False)
    assert (two.undecided, two.decided, two.confirmations, two.removes_bytes) == (0, 0, 0, True)


def test_what_does_not_exist_is_named() -> None:
    file, gone = make_file("a.csv"), make_file("b.csv", state="deleted")
    impacts, missing = delete_impacts([404, file.pk, gone.pk], sight=EVERYTHING)
    assert [impact.file.pk for impact in impacts] == [file.pk]
    assert missing == (404, gone.pk)
    with pytest.raises(DataNotFound):
        delete_impacts([404, gone.pk], sight=EVERYTHING)
    with pytest.raises(WrongNumberOfFiles):
        delete_impacts([], sight=EVERYTHING)
    with pytest.raises(WrongNumberOfFiles):
        delete_impacts(range(1, 1002), sight=EVERYTHING)


def test_a_thousand_files_cost_as_many_statements_as_one() -> None:
    files = [file_with_rows(f"{number}.csv", 1) for number in range(30)]

    def cost(count: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            delete_impacts([file.pk for file in files[:count]], sight=EVERYTHING)
        return len(captured)

    assert cost(1) == cost(30) <= 12
