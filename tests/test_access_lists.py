"""Every list and every figure of the API: made of what is in sight, and as cheap as for anybody else."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasync.choices import FileState
from datasync.models import CatalogFile, OrderLine
from tests.access_support import (
    API,
    STORED,
    Belongings,
    client,
    foreign,
    limit,
    limited,
    mine,
    other,
    own,
    shopless,
    staff_with_all_rights,
)
from tests.api import client_of, data_of, person
from tests.facts_support import file_of, make, make_shop
from tests.quarantine_rows import make_file, make_row, make_task

__all__ = ["client", "foreign", "limited", "mine", "other", "own", "shopless"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("foreign", "shopless")]


def asked(client: APIClient, path: str) -> Any:
    return data_of(client.get(f"{API}/{path}"))


def ids(client: APIClient, path: str, name: str = "id") -> set[Any]:
    return {one[name] for one in asked(client, path)}


def test_files(client: APIClient, own: Belongings, limited: User) -> None:
    uploaded = make_file("uploaded.csv", shop=None, uploaded_by=limited)
    assert ids(client, "files") == {own.file.pk, uploaded.pk}
    assert ids(client, "files?shop=other") == set()
    assert ids(client, "files?search=many") == set()


def test_deleted_files(own: Belongings, mine: Any) -> None:
    staff = limit(staff_with_all_rights("staff"), mine)
    assert ids(client_of(staff), "files?status=deleted") == {own.gone.pk}


@pytest.mark.parametrize("query", ["", "page=1", "ordering=period_start", "shop=mine", "platform=shopee", "shop=other"])
def test_facts(client: APIClient, own: Belongings, shopless: CatalogFile, query: str) -> None:
    make(OrderLine, shopless, order_id="nobody's", shop_id=None)
    wanted = set() if query == "shop=other" else {str(own.fact.pk)}
    assert ids(client, f"facts/orders?{query}", "record_key") == wanted


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("shops", [0, 1, 30])
def test_facts_as_csv(own: Belongings, shops: int) -> None:
    """Also where there is nothing to see: PostgreSQL writes the rows by a statement that is put together by hand."""
    seen = [own.shop, *(make_shop(f"s{number}") for number in range(1, shops))][:shops]
    client = client_of(limit(person("reader"), *seen))
    for query, found in {"": 1, "&order_id=mine-1": 1, "&ordering=key": 1, "&shop=other": 0, "&platform=x": 0}.items():
        response: Any = client.get(f"{API}/facts/orders?format=csv{query}")
        rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
        assert [row["record_key"] for row in rows] == [str(own.fact.pk)] * (found if shops else 0), query


def test_facts_of_many_shops_are_found_too(own: Belongings) -> None:
    user = limit(person("of-many"), own.shop, *(make_shop(f"s{number}") for number in range(30)))
    for query in ("", "page=1", "ordering=-period_start"):
        assert ids(client_of(user), f"facts/orders?{query}", "record_key") == {str(own.fact.pk)}


def test_where_a_fact_comes_from(client: APIClient, own: Belongings, other: Any) -> None:
    before = file_of(other, content_sha256="2" * 64)
    make_task(before, task_id="earlier").items.update(file_sha256="1" * 64)
    OrderLine.objects.filter(pk=own.fact.pk).update(file_first=before, first_sheet_row=5)
    lineage = asked(client, f"facts/orders/{own.fact.pk}")["lineage"]
    nothing = {"name": None, "status": None, "collected_at": None, "sheet_row": None, "content_changed": False}
    assert lineage["first"] == {"id": before.pk, **nothing}
    assert (lineage["last"]["name"], lineage["last"]["sheet_row"]) == (own.file.original_name, own.fact.sheet_row)
    free = asked(client_of(person("free")), f"facts/orders/{own.fact.pk}")["lineage"]["first"]
    assert (free["name"], free["sheet_row"], free["content_changed"]) == (before.original_name, 5, True)


def test_quarantine(client: APIClient, own: Belongings) -> None:
    assert ids(client, "quarantine") == ids(client, "quarantine?cursor=") == {own.row.pk}
    assert ids(client, "quarantine/files", "file_id") == {own.file.pk}
    told = asked(client, "quarantine/stats")
    assert (told["total"], told["reasons"], [shop["shop_id"] for shop in told["shops"]]) == (
        1, {"INVALID_NUMBER": 1}, ["mine"],
    )  # fmt: skip
    response: Any = client.get(f"{API}/quarantine/export")
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    assert [row[0].value for row in book.worksheets[0].iter_rows(min_row=2)] == ["A7"]


def test_the_task_of_a_row_is_named_to_its_owner_and_to_staff_that_is_not_limited(own: Belongings, mine: Any) -> None:
    def named(user: User) -> Any:
        return asked(client_of(user), f"quarantine/{own.row.pk}")["task_id"]

    assert named(own.task.owner or User()) == own.task.task_id
    assert named(person("staff", is_staff=True)) == own.task.task_id
    assert named(limit(person("limited-staff", is_staff=True), mine)) is None
    assert named(person("teammate")) is None


def test_tasks(client: APIClient, own: Belongings, foreign: Belongings, limited: User, mine: Any) -> None:
    make_task(own.file, foreign.file, task_id="mixed", owner=limited)
    assert ids(client, "tasks", "task_id") == {own.task.task_id}
    staff = limit(person("staff", is_staff=True), mine)
    assert ids(client_of(staff), "tasks", "task_id") == {own.task.task_id}


def test_loss(client: APIClient, own: Belongings) -> None:
    told = asked(client, "loss-analysis")
    assert (told["flow"]["files"], told["flow"]["rows"]["read"]) == (1, 2)
    for subject, name, value in (
        ("file", "file_id", own.file.pk), ("task", "task_id", own.task.task_id), ("domain", "domain", "orders"),
    ):  # fmt: skip
        found = asked(client, f"loss-alert?subject={subject}")
        assert [alert[name] for alert in found["alerts"]] == [value]
        assert set(found["above"].values()) == {1}
        assert found["alerts"][0]["rows"]["read"] == 2


def test_governance(client: APIClient, own: Belongings, foreign: Belongings) -> None:
    CatalogFile.objects.filter(pk=foreign.file.pk).update(state=FileState.PENDING)
    told = asked(client, "governance/stats")
    assert (told["files"], told["by_status"], told["quarantine_open"]) == (1, {"partial": 1}, 1)
    assert told["oldest_pending"] is None
    assert [one["files"] for one in asked(client, "platforms") if one["code"] == "shopee"] == [1]
    (family,) = asked(client, "governance/detailed-coverage")
    assert (family["files"], family["example_file_id"]) == (1, own.file.pk)


LISTS = (
    "files",
    "quarantine",
    "quarantine/stats",
    "quarantine/files",
    "tasks",
    "loss-analysis",
    "loss-alert",
    "platforms",
    "governance/stats",
    "governance/detailed-coverage",
)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_one_query_more_at_most(path: str, own: Belongings, limited: User, mine: Any) -> None:
    for number in range(12):
        file = file_of(mine, state=FileState.INGESTED, rows=STORED)
        make(OrderLine, file, order_id=f"A{number}")
        make_row(file, 3, "A3", "x", "")
        make_task(file, task_id=f"batch_{number}", owner=limited)

    def cost(user: User) -> int:
        client = client_of(user)
        client.get(f"{API}/{path}")  # from here on the use of the token is noted
        with CaptureQueriesContext(connection) as queries:
            asked(client, path)
        return len(queries)

    free = cost(person("free", is_staff=True))  # staff, who has tasks to see
    assert cost(limited) <= free + 1


@pytest.mark.parametrize("page", ["", "page=1"])
def test_a_page_of_facts_costs_what_one_of_the_shop_costs(own: Belongings, limited: User, page: str) -> None:
    """The rows of a shop are ranges of keys, which are looked for first."""

    def cost(user: User, query: str) -> int:
        client = client_of(user)
        client.get(f"{API}/files")  # from here on the use of the token is noted
        with CaptureQueriesContext(connection) as queries:
            asked(client, f"facts/orders?{query}")
        return len(queries)

    assert cost(limited, page) <= cost(person("free"), f"shop=mine&{page}")
