"""Numbered pages of long lists: each row once and in order, at the price of the rows that are shown."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasync.access import EVERYTHING
from datasync.api.filters import order_by
from datasync.catalog.selectors import Filters, listed, matching_files
from datasync.choices import FileState, TaskKind, TaskState
from datasync.models import CatalogFile, SyncProgressTask
from datasync.runs import selectors as tasks
from datasync.runs.selectors import tasks_visible_to
from erp.pages import part_of
from tests.api import client_of, data_of, owner
from tests.plans import rows_visited, scans
from tests.quarantine_rows import make_file, make_row, make_task
from tests.runs_support import make_template

__all__ = ["owner"]
AT = datetime(2026, 3, 6, 8, tzinfo=UTC)
FILES = "/api/data-sync/files"
TABLE = "datasync_catalogfile"
MANY = 6_000
PAGE = 50
postgresql_only = pytest.mark.skipif(connection.vendor != "postgresql", reason="its planner says what it does")


def many_files(number: int) -> list[CatalogFile]:
    """Files of which every third was synced, all of one template, some of equal size, and one in fifty deleted."""
    one, template = make_file("first.csv"), make_template()
    same = {
        field.attname: getattr(one, field.attname)
        for field in CatalogFile._meta.concrete_fields
        if not field.primary_key and not field.generated
    }
    return CatalogFile.objects.bulk_create(
        CatalogFile(
            **same | {
                "storage_name": f"{at}.csv", "original_name": f"orders {at % 10}.csv", "size": at % 5,
                "template_id": template.pk, "first_seen_at": AT + timedelta(hours=at),
                "synced_at": None if at % 3 else AT - timedelta(hours=at),
                "state": FileState.DELETED if at % 50 == 0 else FileState.PENDING, "profile": [secrets.token_hex(500)],
            }
        )
        for at in range(number)
    )  # fmt: skip


def pages(rows: Any, *, size: int, shown: Any = None) -> list[list[int]]:
    """The ids on each page, and on the one past the end."""
    total = rows.count()
    numbers = range(1, -(-total // size) + 2)
    return [[row.pk for row in part_of(rows, of=total, page=number, size=size, shown=shown)] for number in numbers]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["id", "original_name", "size", "first_seen_at", "synced_at", "collected_at"])
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("size", [1, 7, 10, 60])
def test_each_row_stands_on_one_page_in_the_order_of_the_list(name: str, sign: str, size: int) -> None:
    many_files(57)
    rows = order_by(matching_files(Filters(), sight=EVERYTHING), f"{sign}{name}")
    whole = [row.pk for row in rows]
    assert len(whole) == 56
    expected = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert pages(rows, size=size, shown=listed) == [*expected, []]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ordering", [(), (F("synced_at").desc(nulls_last=True), "id"), (F("synced_at").asc(nulls_first=True), "-id")]
)
def test_the_orderings_of_other_lists(ordering: tuple[Any, ...]) -> None:
    """That of the model itself, and those that say where rows without a value stand."""
    many_files(23)
    rows = CatalogFile.objects.order_by(*ordering) if ordering else CatalogFile.objects.all()
    whole = [row.pk for row in rows]
    assert pages(rows, size=5) == [*(whole[at : at + 5] for at in range(0, len(whole), 5)), []]


@pytest.mark.django_db
def test_rows_that_come_and_go_between_counting_and_reading() -> None:
    rows = CatalogFile.objects.order_by("id")
    ids = [file.pk for file in many_files(20)]
    ids = sorted({*ids, *rows.values_list("pk", flat=True)})
    CatalogFile.objects.filter(pk__in=[ids[1], ids[-2]]).delete()
    left = [pk for pk in ids if pk not in {ids[1], ids[-2]}]
    for number in (1, 2, 3, 4, 5):
        found = [row.pk for row in part_of(rows, of=len(ids), page=number, size=5)]
        assert found == sorted(found)
        assert set(found) <= set(left)
        assert len(found) == len(set(found))
    assert [row.pk for row in part_of(rows, of=len(ids) - 10, page=1, size=5)] == left[:5]


def vacuum() -> None:
    """Let the planner know, as the server's own cleaning does in its time."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def statement(rows: Any, *, page: int, size: int = PAGE, shown: Any = listed) -> str:
    """What reads the page."""
    total = rows.count()
    with CaptureQueriesContext(connection) as asked:
        assert part_of(rows, of=total, page=page, size=size, shown=shown)
    return str(asked[0]["sql"])


@postgresql_only
@pytest.mark.django_db(transaction=True)
def test_what_a_page_of_files_reads(admin_client: Client) -> None:
    """The last page costs what the first does; what is skipped, sorted, searched or counted is read in an index."""
    many_files(MANY)
    vacuum()
    rows = matching_files(Filters(), sight=EVERYTHING)
    last = -(-rows.count() // PAGE)
    for page in (1, last):
        assert rows_visited(statement(rows, page=page), TABLE) <= 3 * PAGE
        assert rows_visited(console_statement(admin_client, page=page), TABLE) <= 3 * PAGE
    middle = statement(rows, page=last // 2)
    assert rows_visited(middle, "datasync_headertemplate") <= PAGE + 5, "templates of the shown rows, and the published"
    assert ("Index Only Scan", "file_listed") in scans(middle, TABLE)
    for filters in (Filters(), Filters(search="Orders 7"), Filters(search="orders", status=FileState.PENDING)):
        found = matching_files(filters, sight=EVERYTHING)
        assert [how for how, _index in scans(counting(found), TABLE)] == ["Index Only Scan"]
        for name in ("original_name", "-size", "first_seen_at", "-synced_at", "collected_at", "status"):
            chosen, shown = sorted(scans(statement(order_by(found, name), page=1), TABLE))
            assert (chosen[0], shown[0]) == ("Index Only Scan", "Index Scan"), name


def counting(rows: Any) -> str:
    """What counts the rows."""
    with CaptureQueriesContext(connection) as asked:
        rows.count()
    return str(asked[0]["sql"])


def console_statement(client: Client, *, page: int) -> str:
    """What reads a page of the console's list."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(reverse("admin:datasync_catalogfile_changelist"), {"p": page}).status_code == 200
    (sql,) = (str(one["sql"]) for one in asked if "LIMIT" in str(one["sql"]) and f'FROM "{TABLE}"' in one["sql"])
    return sql


@postgresql_only
@pytest.mark.django_db(transaction=True)
def test_tasks_are_read_in_their_order(owner: User) -> None:
    """By their index, from either end, without a sort of all of them."""
    table = "datasync_syncprogresstask"
    SyncProgressTask.objects.bulk_create(
        SyncProgressTask(task_id=f"t{number}", celery_task_id=f"c{number}", kind=TaskKind.BATCH, owner=owner,
                         state=TaskState.COMPLETED, created_at=AT + timedelta(hours=number))
        for number in range(MANY)
    )  # fmt: skip
    vacuum()
    for everybodys in (False, True):
        owner.is_staff = everybodys
        rows = order_by(tasks_visible_to(owner, sight=EVERYTHING), "-created_at")
        for page in (1, MANY // 5):
            sql = statement(rows, page=page, size=5, shown=tasks.listed)
            assert "task_created" in [index for _how, index in scans(sql, table)]
            assert rows_visited(sql, table) <= 15


@pytest.mark.django_db
def test_lists_read_no_documents_that_they_do_not_show(owner: User) -> None:
    file = make_file(template=make_template())
    make_row(file, 2, "A", "x", "", item=make_task(file, owner=owner).items.get())
    of_cells = ('row"."values"', 'file"."profile"', 'headerset"."headers"')
    for path, table, unread in (
        ("files", TABLE, ('file"."profile"', 'file"."match"', 'template"."notes"', 'template"."identity"')),
        ("tasks", "datasync_syncprogresstask", ('task"."errors"', 'task"."quality"', 'user"."password"')),
        ("quarantine", "datasync_quarantinedrow", of_cells),
        ("quarantine?cursor=", "datasync_quarantinedrow", of_cells),
    ):
        client = client_of(owner)
        with CaptureQueriesContext(connection) as asked:
            assert len(data_of(client.get(f"/api/data-sync/{path}"))) == 1
        (sql,) = (str(one["sql"]) for one in asked if str(one["sql"]).startswith(f'SELECT "{table}"'))
        assert [column for column in unread if column in sql] == [], path


@pytest.mark.django_db
def test_the_console_shows_the_same_pages(admin_client: Client) -> None:
    many_files(120)
    address = reverse("admin:datasync_catalogfile_changelist")
    whole = list(CatalogFile.objects.exclude(state=FileState.DELETED).order_by("-id").values_list("pk", flat=True))
    for number, at in ((1, 0), (2, 50), (3, 100)):
        shown = admin_client.get(address, {"p": number}).context["cl"]
        assert [file.pk for file in shown.result_list] == whole[at : at + 50]
        assert shown.result_count == len(whole)
    assert admin_client.get(address, {"p": 9}).status_code == 302


def test_the_longest_names_fit_into_the_index_of_the_list(db: None) -> None:
    widest = [chr(secrets.choice(range(0x20000, 0x2A6D6))) for _ in range(600)]  # four bytes each, and no repetition
    file = make_file("first.csv")
    file.original_name, file.root = "".join(widest[:500]), "".join(widest[500:])
    file.save()

    assert CatalogFile.objects.get(pk=file.pk).original_name == "".join(widest[:500])
