"""One fact: its values, its original row, and every file and decision that it comes from."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from datasync.choices import FileState, QuarantineState, TaskKind
from datasync.models import CatalogFile, ConfirmedRows, Fact, OrderLine, ServiceMetric, SyncProgressTask
from tests.api import client_of, data_of, error_of, owner
from tests.facts_support import COLLECTED, file_of, make, make_shop
from tests.quarantine_rows import make_row, make_task

__all__ = ["owner"]


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


def address(key: object, domain: str = "orders") -> str:
    return f"/api/data-sync/facts/{domain}/{key}"


def confirm(file: CatalogFile, *keys: bytes, later: int) -> ConfirmedRows:
    return ConfirmedRows.objects.create(
        file=file, platform_id=str(file.platform_id), shop=file.shop, domain="orders", granularity="daily",
        collected_at=COLLECTED + timedelta(days=later), keys=b"".join(sorted(keys)),
    )  # fmt: skip


def test_values_original_and_both_files(client: APIClient) -> None:
    shop = make_shop("sg-9")
    first, last = file_of(shop, state=FileState.DELETED, collected_at=COLLECTED), file_of(shop)
    fact = make(OrderLine, last, file_first=first, first_sheet_row=7, sheet_row=12, order_id="A")
    data = data_of(client.get(address(fact.pk)))
    assert set(data) == {"fact", "raw", "lineage"}
    assert (data["fact"]["order_id"], data["fact"]["shop"]) == ("A", "sg-9")
    assert list(data["raw"]) == ["Order ID", "Amount", "column 3", "Amount (2)"]
    assert data["lineage"]["first"] == {
        "id": first.pk, "name": first.original_name, "status": "deleted", "collected_at": "2026-03-06T05:16:50Z",
        "sheet_row": 7, "content_changed": False,
    }  # fmt: skip
    assert (data["lineage"]["last"]["id"], data["lineage"]["last"]["sheet_row"]) == (last.pk, 12)
    assert (data["lineage"]["released_from"], data["lineage"]["confirmed_by"]) == (None, [])


def test_the_key_may_be_written_without_hyphens(client: APIClient) -> None:
    fact = make(OrderLine)
    assert data_of(client.get(address(fact.pk.hex)))["fact"]["record_key"] == str(fact.pk)


def test_the_quarantined_row_that_it_was(client: APIClient, owner: User) -> None:
    file = file_of()
    fact = make(OrderLine, file)
    decided = timezone.now()
    row = make_row(file, 5, "A", "x", "", state=QuarantineState.RELEASED, record_key=fact.pk, outcome="inserted",
                   decided_by=owner, decided_at=decided)  # fmt: skip
    make_row(file, 6, "A", "x", "", record_key=fact.pk)
    make_row(file, 7, "A", "x", "", state=QuarantineState.RELEASED, record_key=uuid.uuid4())
    told = data_of(client.get(address(fact.pk)))["lineage"]["released_from"]
    assert (told["id"], told["file_id"], told["sheet_row"]) == (row.pk, file.pk, 5)
    assert (told["outcome"], told["decided_by"]) == ("inserted", "owner")


def test_newer_exports_that_repeated_it(client: APIClient) -> None:
    shop = make_shop("sg-9")
    fact = make(OrderLine, file_of(shop))
    key, other = fact.pk.bytes, uuid.uuid4().bytes
    newer = confirm(file_of(shop), other, key, later=1)
    newest = confirm(file_of(shop), key, later=2)
    confirm(file_of(shop), other, later=3)
    confirm(file_of(shop), key, later=-1)
    confirm(file_of(make_shop("other")), key, later=4)
    shifted = b"\x00" * 8 + key + b"\x00" * 8
    confirm(file_of(shop), shifted, later=5)
    told = data_of(client.get(address(fact.pk)))["lineage"]["confirmed_by"]
    assert [one["file_id"] for one in told] == [newest.file_id, newer.file_id]


def test_a_row_of_earlier_content_of_its_file(client: APIClient) -> None:
    """The old content wrote one row, the new one another, both in row 5 of what the file was then."""
    file = file_of(make_shop("sg-9"), content_sha256="2" * 64)
    for content, hour in (("1" * 64, 1), ("2" * 64, 3)):
        make_task(file, task_id=f"t{hour}").items.update(file_sha256=content, started_at=at(hour))
    old = make(OrderLine, file, created_at=at(2), updated_at=at(2), sheet_row=5)
    new = make(OrderLine, file, created_at=at(2), updated_at=at(4), sheet_row=5)
    assert origins(client, old) == {"first": True, "last": True}
    assert origins(client, new) == {"first": True, "last": False}
    remap = make_task(file, task_id="r")
    SyncProgressTask.objects.filter(pk=remap.pk).update(kind=TaskKind.REMAP)
    assert origins(client, new) == {"first": True, "last": True}, "a remap writes what it does not read"
    CatalogFile.objects.update(content_sha256="3" * 64)
    assert origins(client, new) == {"first": True, "last": True}, "pending content is other content"


def at(hour: int) -> datetime:
    return COLLECTED + timedelta(hours=hour)


def origins(client: APIClient, fact: Fact) -> dict[str, bool]:
    lineage = data_of(client.get(address(fact.pk)))["lineage"]
    return {name: lineage[name]["content_changed"] for name in ("first", "last")}


def test_files_that_are_gone_without_a_trace(client: APIClient) -> None:
    file = file_of()
    fact = make(OrderLine, file)
    CatalogFile.objects.filter(pk=file.pk).delete()
    told = data_of(client.get(address(fact.pk)))["lineage"]["last"]
    row = {"sheet_row": fact.sheet_row, "content_changed": False}
    assert told == {"id": file.pk, "name": None, "status": None, "collected_at": None, **row}


def test_the_number_of_statements_does_not_grow(client: APIClient) -> None:
    shop = make_shop("sg-9")
    fact = make(OrderLine, file_of(shop))

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            data_of(client.get(address(fact.pk)))
        return len(captured)

    statements()  # the first use of a token is written down
    few = statements()
    for day in range(1, 9):
        confirm(file_of(shop), fact.pk.bytes, later=day)
    assert statements() == few


@pytest.mark.parametrize("key", [uuid.uuid4(), "1", "nonsense", "g" * 32, "0" * 33, "x" * 500])
def test_unknown_facts(client: APIClient, key: object) -> None:
    assert error_of(client.get(address(key)), 404)["code"] == "FACT_NOT_FOUND"


def test_a_fact_of_another_domain_is_not_found(client: APIClient) -> None:
    fact = make(ServiceMetric, sub_domain="agent")
    assert error_of(client.get(address(fact.pk)), 404)["code"] == "FACT_NOT_FOUND"
    assert error_of(client.get(address(fact.pk, "nonsense")), 404)["code"] == "DOMAIN_NOT_FOUND"


def test_signed_out_and_not_acceptable(client: APIClient, db: None) -> None:
    assert error_of(APIClient().get(address(uuid.uuid4())), 401)["code"] == "NOT_AUTHENTICATED"
    assert client.get(address(uuid.uuid4()), headers={"Accept": "image/png"}).status_code == 406
