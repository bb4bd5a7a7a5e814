"""Two shops, one of which somebody is limited to, and one of everything of each."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from datasync.choices import ExportKind, ExportState, FileState, ItemState, TaskState
from datasync.models import (
    CatalogFile,
    ExportArchive,
    OrderLine,
    QuarantinedRow,
    Shop,
    ShopLimit,
    SyncProgressTask,
    SyncTaskFile,
)
from tests.api import client_of, person
from tests.facts_support import file_of, make, make_shop
from tests.quarantine_rows import make_file, make_row, make_task

API = "/api/data-sync"
STORED = {"read": 1, "inserted": 1}


@dataclass(frozen=True)
class Belongings:
    """What belongs to one shop: a synced file, its fact and its quarantined row, a deleted file, a task, an archive."""

    shop: Shop
    file: CatalogFile
    gone: CatalogFile
    fact: OrderLine
    row: QuarantinedRow
    task: SyncProgressTask
    export: ExportArchive


def belongings(shop: Shop, *, owner: User) -> Belongings:
    """One of everything of a shop; task and archive belong to ``owner``."""
    file = file_of(shop, state=FileState.PARTIAL, rows={"read": 2, "inserted": 1, "quarantined": 1})
    task = make_task(file, task_id=f"batch_{shop.shop_id}", owner=owner, state=TaskState.PARTIAL)
    item = task.items.get()
    SyncTaskFile.objects.filter(pk=item.pk).update(
        state=ItemState.COMPLETED, rows_read=2, rows_inserted=1, rows_quarantined=1
    )
    fact = make(OrderLine, file, order_id=f"{shop.shop_id}-1")
    assert isinstance(fact, OrderLine)
    return Belongings(
        shop=shop,
        file=file,
        gone=file_of(shop, state=FileState.DELETED),
        fact=fact,
        row=make_row(file, 7, "A7", "twelve", "", item=item),
        task=task,
        export=ExportArchive.objects.create(
            owner=owner, what=ExportKind.ORIGINALS, file_ids=[file.pk], state=ExportState.QUEUED
        ),
    )


def limit(user: User, *shops: Shop) -> User:
    """The person, limited to these shops from now on."""
    ShopLimit.objects.get_or_create(user=user)[0].shops.set(shops)
    return User.objects.get(pk=user.pk)


def staff_with_all_rights(name: str) -> User:
    """Somebody to whom everything is allowed, but no superuser."""
    user = person(name, is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return user


@pytest.fixture
def mine(db: None) -> Shop:
    """The shop that the limited person is limited to."""
    return make_shop("mine")


@pytest.fixture
def other(db: None) -> Shop:
    """A shop that is kept from them."""
    return make_shop("other")


@pytest.fixture
def limited(mine: Shop) -> User:
    """Somebody limited to the one shop."""
    return limit(person("limited"), mine)


@pytest.fixture
def client(limited: User) -> APIClient:
    """The client of the limited person."""
    return client_of(limited)


@pytest.fixture
def own(limited: User, mine: Shop) -> Belongings:
    """What belongs to their shop; task and archive are theirs."""
    return belongings(mine, owner=limited)


@pytest.fixture
def foreign(limited: User, other: Shop) -> Belongings:
    """What belongs to the other shop; task and archive are theirs all the same, from before they were limited."""
    return belongings(other, owner=limited)


@pytest.fixture
def shopless(db: None) -> CatalogFile:
    """A file of which no shop is known, scanned by nobody."""
    return make_file("of-many-shops.csv", shop=None, state=FileState.PENDING)
