"""The rows of an upload that names its shops in them are of shops that its uploader sees, whoever loads the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from datasync.access import EVERYTHING, Sight
from datasync.catalog.services import Description, describe_file, store_upload
from datasync.choices import FileState, TemplateOrigin
from datasync.fields import FIELDS, Domain
from datasync.mapping import services as mapping
from datasync.mapping.drafts import new_version
from datasync.mapping.template import Family, Template, TemplateColumn
from datasync.models import CatalogFile, OrderLine, Platform, QuarantinedRow, Shop, ShopLimit
from datasync.quarantine.selectors import Filters
from datasync.quarantine.services import release
from datasync.runs.services import submit_all
from datasync.runs.turns import take_turn
from tests.access_support import limit, limited, mine, other
from tests.api import person
from tests.runs_support import Bell, bell

__all__ = ["bell", "limited", "mine", "other"]
pytestmark = pytest.mark.django_db(transaction=True)
ORDERS = {"Order ID": "order_id", "Store": "shop_label", "Quantity": "quantity"}
STOCK = {"SKU": "sku", "Available": "stock_available"}
NAME = "shopee_orders_daily_20260306_051650.csv"


@pytest.fixture(autouse=True)
def templates(settings: Any, tmp_path: Path, bell: Bell) -> None:
    settings.DATA_ROOTS, settings.UPLOAD_DIR = [tmp_path / "inbox"], tmp_path / "uploads"
    (tmp_path / "inbox").mkdir()
    Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    publish(ORDERS, Family("shopee", "shopee", Domain.ORDERS, "daily"), "order_id")


@pytest.fixture
def free(db: None) -> User:
    """Somebody who is not limited."""
    return person("free")


def publish(columns: dict[str, str], family: Family, *identity: str) -> None:
    """Publish a template whose columns feed these fields."""
    told = tuple(
        TemplateColumn(at, header, field, FIELDS[family.domain][field].kind)
        for at, (header, field) in enumerate(columns.items())
    )
    drafted = new_version(Template(family, told, identity), origin=TemplateOrigin.OPERATOR, actor=None)
    mapping.publish_draft(drafted.pk, sight=EVERYTHING)


def content(quantity: int) -> bytes:
    """An order of either shop."""
    return f"Order ID,Store,Quantity\nof mine,mine,{quantity}\nof other,other,{quantity}\n".encode()


def upload(by: User, data: bytes, name: str = NAME, **told: Any) -> CatalogFile:
    uploaded = SimpleUploadedFile(name, data)
    return store_upload(uploaded=uploaded, description=Description(**told), actor=by, sight=Sight.of(by))


def load() -> None:
    """What somebody who sees everything does every day."""
    assert submit_all(owner=None, sight=EVERYTHING) is not None
    take_turn()


def stored() -> dict[str, int]:
    return {str(line.order_id): int(line.quantity or 0) for line in OrderLine.objects.all()}


def test_rows_of_shops_out_of_the_uploaders_sight_are_not_loaded(limited: User, free: User, other: Shop) -> None:
    upload(free, content(1))
    load()
    assert stored() == {"of mine": 1, "of other": 1}
    file = upload(limited, content(2))
    assert (file.shop, file.state) == (None, FileState.PENDING)
    load()
    assert stored() == {"of mine": 2, "of other": 1}
    (row,) = QuarantinedRow.objects.all()
    assert (row.file_id, row.reasons[0]["code"]) == (file.pk, "UNKNOWN_SHOP")
    released = release(filters=Filters(ids=[row.pk]), actor=None, sight=EVERYTHING)
    assert (released.released, released.rejected) == (0, 1)
    assert stored() == {"of mine": 2, "of other": 1}


@pytest.mark.parametrize("told", [{}, {"shop_id": "mine"}])
def test_the_same_bytes_of_somebody_who_sees_more_are_a_file_of_their_own(
    limited: User, free: User, other: Shop, told: dict[str, str]
) -> None:
    narrow = upload(limited, content(1), **told)
    wide = upload(free, content(1))
    assert wide.pk != narrow.pk
    assert upload(free, content(1)).pk == wide.pk
    assert upload(limited, content(1), **told).pk == narrow.pk
    load()
    assert stored() == {"of mine": 1, "of other": 1}


@pytest.mark.parametrize("change", ["the person is deleted", "the limit is lifted"])
def test_what_was_out_of_the_uploaders_sight_stays_out_of_the_file(
    limited: User, free: User, mine: Shop, other: Shop, change: str
) -> None:
    upload(free, content(1))
    load()
    file = upload(limited, content(2))
    if change == "the person is deleted":
        limited.delete()
    else:
        ShopLimit.objects.all().delete()
    load()
    assert stored() == {"of mine": 2, "of other": 1}
    (row,) = QuarantinedRow.objects.all()
    assert release(filters=Filters(ids=[row.pk]), actor=None, sight=EVERYTHING).released == 0
    again = upload(free if change == "the person is deleted" else User.objects.get(pk=limited.pk), content(2))
    assert again.pk != file.pk
    load()
    assert stored() == {"of mine": 2, "of other": 2}


def test_whoever_is_limited_later_keeps_what_they_loaded(free: User, mine: Shop, other: Shop) -> None:
    """The right was there then: the file is read, and its rows are typed anew, as it was uploaded."""
    file = upload(free, content(1))
    limit(free, mine)
    load()
    assert stored() == {"of mine": 1, "of other": 1}
    file.refresh_from_db()
    plan, _template = mapping.bind_kept(file, ["Order ID", "Store", "Quantity"])
    assert {one.pk for one in plan.scope.shops.values()} == {mine.pk, other.pk}
    assert upload(User.objects.get(pk=free.pk), content(1)).pk != file.pk, "which is read in the sight of now"


def test_a_label_of_a_shop_out_of_sight_contradicts_the_files_own_shop(limited: User, other: Shop) -> None:
    upload(limited, content(1), shop_id="mine")
    load()
    assert stored() == {"of mine": 1}
    assert QuarantinedRow.objects.get().reasons[0]["code"] == "SHOP_MISMATCH"


def test_the_stock_of_an_erp_needs_a_shop_where_its_uploader_is_limited(limited: User, free: User) -> None:
    """It belongs to the account, which is of all shops."""
    Platform.objects.create(code="miaoshou", name="Miaoshou")
    publish(ORDERS, Family("shopee", "miaoshou", Domain.ORDERS, "daily"), "order_id")
    publish(STOCK, Family("miaoshou", "miaoshou", Domain.INVENTORY, "snapshot"), "sku", "snapshot_date")
    told = {"platform": "miaoshou", "domain": "inventory"}
    name, data = "miaoshou_inventory_snapshot_20260306_051650.csv", b"SKU,Available\nA,1\n"
    file = upload(limited, data, name, **told)
    assert (file.state, file.last_error["params"]["missing"]) == (FileState.NEEDS_DESCRIPTION, "the shop")
    described = describe_file(file, account="main", sight=EVERYTHING)
    assert described.state == FileState.NEEDS_DESCRIPTION
    wide = upload(free, data, name, **told)
    assert wide.state == FileState.PENDING
    limit(free)
    assert describe_file(wide, account="main", sight=EVERYTHING).state == FileState.PENDING, "it was the account's"
    limited.delete()
    assert describe_file(described, account="other", sight=EVERYTHING).state == FileState.NEEDS_DESCRIPTION
