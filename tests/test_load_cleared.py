"""A file that is synced by another template leaves nothing of the first one in its rows, and touches no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from datasync.fields import Domain
from datasync.ingest.pipeline import ingest
from datasync.ingest.plan import Plan
from datasync.models import CatalogFile, HeaderSet, OrderLine, Platform, Shop
from tests.sheets import COLLECTED, ListSheet, Row, make_plan

pytestmark = pytest.mark.django_db(transaction=True)
FIELDS = ("order_id", "sku", "buyer_name", "profit")


def sync(plan: Plan, rows: Sequence[Row]) -> None:
    ingest(sheet=ListSheet(FIELDS, rows), plan=plan, item_id=None, template_id=None, allow_quarantine=True,
           before_commit=lambda result: None)  # fmt: skip


def plan_of(file: int) -> Plan:
    """The plan of a file of its own; later ones were collected later."""
    Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    shop = Shop.objects.get_or_create(platform_id="shopee", shop_id="sg")[0]
    header = HeaderSet.objects.get_or_create(digest="d", headers=list(FIELDS))[0]
    stored = CatalogFile.objects.create(root="r", storage_name=f"{file}.csv", original_name="x", size=1,
                                        modified_at=COLLECTED, sha256=str(file), content_sha256="")  # fmt: skip
    return make_plan(Domain.ORDERS, FIELDS, identity=("order_id", "sku"), file_id=stored.pk, header_set_id=header.pk,
                     shop_id=shop.pk, collected_at=COLLECTED + timedelta(days=file))  # fmt: skip


def without(plan: Plan, *fields: str, cleared: Sequence[str] = ()) -> Plan:
    """The same file read by a template that does not feed some fields."""
    columns = (replace(column, field=None) if column.field in fields else column for column in plan.columns)
    return replace(plan, columns=tuple(columns), fingerprint="another", cleared=frozenset(cleared))


def stored() -> dict[str, tuple[str | None, int | None]]:
    facts = OrderLine.objects.values_list("order_id", "buyer_name", "profit")
    return {str(order): (buyer, None if profit is None else int(profit)) for order, buyer, profit in facts}


def test_fields_that_are_not_fed_any_more_are_emptied_in_the_files_own_rows() -> None:
    older, newer = plan_of(1), plan_of(2)
    sync(older, [("A1", "S1", "Ana", "5"), ("A2", "S1", "Bob", "7")])
    sync(newer, [("A1", "S1", "Cy", "6"), ("A3", "S1", "Di", "8")])
    sync(without(newer, "buyer_name", "profit", cleared=["buyer_name", "profit"]),
         [("A1", "S1", "Cy", "6"), ("A2", "S1", "Eve", "9"), ("A3", "S1", "Di", "8")])  # fmt: skip
    assert stored() == {"A1": (None, None), "A2": ("Bob", 7), "A3": (None, None)}


def test_without_another_template_nothing_is_emptied() -> None:
    plan = plan_of(1)
    sync(plan, [("A1", "S1", "Ana", "5")])
    sync(without(plan, "buyer_name"), [("A1", "S1", "Ana", None)])
    assert stored() == {"A1": ("Ana", 5)}


def test_an_amount_that_is_fed_otherwise_does_not_stay_beside_a_blank() -> None:
    older, newer = plan_of(1), plan_of(2)
    sync(older, [("A1", "S1", "Ana", "5"), ("A2", "S1", "Bob", "7")])
    sync(newer, [("A2", "S1", "Bob", None), ("A3", "S1", "Di", "8")])
    otherwise = replace(newer, fingerprint="another", cleared=frozenset({"profit"}))
    sync(otherwise, [("A1", "S1", "Cy", None), ("A3", "S1", "Di", None), ("A4", "S1", "Fay", "1")])
    assert stored() == {"A1": ("Cy", 5), "A2": ("Bob", 7), "A3": ("Di", None), "A4": ("Fay", 1)}
