"""Two shops with a row of everything each, and staff who see one of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from datasync import models
from datasync.choices import AuditAction, ExportKind, ExportState
from tests.facts_support import make as make_fact
from tests.facts_support import make_shop
from tests.quarantine_rows import make_file, make_row, make_task

__all__ = [
    "act", "address", "client_for", "limited", "listed", "make_shop", "mine", "rows_of", "staff_limited_to", "theirs",
    "told",
]  # fmt: skip
Rows = dict[type[Any], Any]


def rows_of(shop: models.Shop, *, owner: User | None = None) -> Rows:
    """A row of every model that is of a shop, all of this one; ``owner`` asked for the archive."""
    file = make_file(f"{shop.shop_id}.csv", shop=shop, rows={"read": 1, "quarantined": 1})
    task = make_task(file, task_id=f"batch_{shop.shop_id}")
    item = task.items.get()
    account = models.CollectionAccount.objects.create(platform=shop.platform, account=f"account-{shop.shop_id}")
    account.shops.add(shop)
    told: dict[str, Any] = {"platform": shop.platform, "domain": "orders"}
    collected: dict[str, Any] = {"granularity": "daily", "collected_at": timezone.now(), "keys": bytes(16)}
    rows = [
        shop,
        file,
        task,
        item,
        account,
        models.ShopAlias.objects.create(platform=shop.platform, shop=shop, label=f"alias of {shop.shop_id}"),
        make_row(file, 2, f"order of {shop.shop_id}", "x", "", item=item),
        models.QualityReport.objects.create(**told, shop=shop, task=task, score=90, rows=1),
        models.ConfirmedRows.objects.create(**told, **collected, file=file),
        models.AuditEntry.objects.create(action=AuditAction.FILE_DESCRIBED, file=file, note=f"note on {shop.shop_id}"),
        models.ExportArchive.objects.create(
            what=ExportKind.CLEANED,
            file_ids=[file.pk],
            seen_shops=[shop.pk],
            state=ExportState.READY,
            owner=owner,
        ),
        *(make_fact(model, file) for model in models.FACT_MODELS.values()),
    ]
    models.Shop.objects.filter(shop_id="sg1", files=None).delete()  # comes with ``make_file``, whatever shop is named
    return {type(row): row for row in rows}


def staff_limited_to(*shops: models.Shop, username: str = "limited") -> User:
    """Staff with every right there is, limited to these shops."""
    person = User.objects.create_user(username, is_staff=True)
    person.user_permissions.set(Permission.objects.all())
    limit = models.ShopLimit.objects.create(user=person)
    limit.shops.set(shops)
    return person


def client_for(person: User) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(person)
    return client


def address(model: type[Any], page: str, *args: object) -> str:
    """A page of the console."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def listed(client: Client, model: type[Any], **query: str) -> set[Any]:
    """The keys of the rows in a list."""
    response = client.get(address(model, "changelist"), query)
    assert response.status_code == 200, (model, response.status_code)
    return {row.pk for row in response.context["cl"].result_list}


def act(client: Client, action: str, *rows: Any, **posted: str) -> Any:
    """Choose rows in their list and run an action on them."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], **posted}
    return client.post(address(type(rows[0]), "changelist"), chosen)


def told(response: Any) -> str:
    """What the console says above its next page."""
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.fixture
def mine(db: None) -> Rows:
    return rows_of(make_shop("mine"))


@pytest.fixture
def theirs(db: None) -> Rows:
    return rows_of(make_shop("theirs"))


@pytest.fixture
def limited(mine: Rows) -> Client:
    return client_for(staff_limited_to(mine[models.Shop]))
