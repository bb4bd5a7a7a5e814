"""What a person sees: decided by a row, superusers apart; read once, and nothing where nobody is signed in."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from pytest_django import DjangoAssertNumQueries

from datasync.access import EVERYTHING, NOTHING, Sight
from datasync.exceptions import LimitedToShops
from datasync.models import CatalogFile, Fact, OrderLine, QuarantinedRow, Shop, SyncProgressTask
from tests.access_support import Belongings, foreign, limit, limited, mine, other, own, shopless
from tests.api import person
from tests.facts_support import make, make_shop
from tests.quarantine_rows import make_file, make_row, make_task

__all__ = ["foreign", "limited", "mine", "other", "own", "shopless"]
pytestmark = pytest.mark.django_db


def seen(rows: Any) -> set[Any]:
    return set(rows.values_list("pk", flat=True))


def test_who_has_no_row_sees_everything(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = person("free", is_staff=True)
    with django_assert_num_queries(1):
        assert Sight.of(user) == EVERYTHING
        assert Sight.of(user) is Sight.of(user)


def test_a_row_limits_to_its_shops(
    mine: Shop, other: Shop, limited: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        sight = Sight.of(limited)
        assert Sight.of(limited) is sight
    assert sight == Sight(frozenset({mine.pk}), limited.pk)
    assert (sight.limited, sight.scopes) == (True, frozenset({("shopee", mine.pk)}))
    assert Sight.of(limit(limited, mine, other)).shop_ids == frozenset({mine.pk, other.pk})


def test_a_row_without_shops_hides_everything(own: Belongings, limited: User, shopless: CatalogFile) -> None:
    sight = Sight.of(limit(limited))
    assert sight.limited
    for model, wanted in (
        (CatalogFile, sight.files()),
        (CatalogFile, sight.files_to_load()),
        (OrderLine, sight.facts()),
        (QuarantinedRow, sight.rows()),
        (SyncProgressTask, sight.tasks()),
        (Shop, sight.shops()),
    ):
        assert seen(model._default_manager.filter(wanted)) == set()


def test_staff_is_limited_and_superusers_never(mine: Shop, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    staff, root = person("staff", is_staff=True), User.objects.create_superuser("root")
    assert Sight.of(limit(staff, mine)).limited
    limit(root, mine)
    with django_assert_num_queries(0):
        assert Sight.of(root) is EVERYTHING


def test_nobody_sees_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert Sight.of(AnonymousUser()) is NOTHING
    assert NOTHING.limited


def test_what_is_in_sight_of_the_database(
    own: Belongings, foreign: Belongings, shopless: CatalogFile, limited: User
) -> None:
    make(OrderLine, shopless, order_id="nobody's", shop_id=None)
    elsewhere = make(OrderLine, shopless, order_id="mine in a file of many shops", shop_id=own.shop.pk)
    make_row(shopless, 3, "A3", "x", "")
    sight = Sight.of(limited)
    assert seen(CatalogFile.objects.filter(sight.files())) == {own.file.pk, own.gone.pk}
    assert seen(OrderLine.objects.filter(sight.facts())) == {own.fact.pk, elsewhere.pk}
    assert seen(QuarantinedRow.objects.filter(sight.rows())) == {own.row.pk}
    assert seen(SyncProgressTask.objects.filter(sight.tasks())) == {own.task.pk}
    assert seen(Shop.objects.filter(sight.shops())) == {own.shop.pk}
    facts: type[Fact] = OrderLine
    assert facts._default_manager.filter(EVERYTHING.facts()).count() == 4


def test_an_own_upload_without_a_shop_is_seen_but_not_loaded(limited: User, shopless: CatalogFile) -> None:
    uploaded = make_file("mine.csv", shop=None, uploaded_by=limited)
    described = make_file("described.csv", shop=make_shop("elsewhere"), uploaded_by=limited)
    sight = Sight.of(limited)
    assert seen(CatalogFile.objects.filter(sight.files())) == {uploaded.pk}
    assert not CatalogFile.objects.filter(sight.files_to_load()).exists()
    assert [sight.sees_file(file) for file in (uploaded, shopless, described)] == [True, False, False]
    assert [sight.may_load(file) for file in (uploaded, shopless, described)] == [False] * 3


def test_a_task_with_one_file_out_of_sight_is_out_of_sight(own: Belongings, foreign: Belongings, limited: User) -> None:
    mixed = make_task(own.file, foreign.file, task_id="mixed", owner=limited)
    empty = make_task(task_id="empty", owner=limited)
    visible = seen(SyncProgressTask.objects.filter(Sight.of(limited).tasks()))
    assert visible == {own.task.pk, empty.pk}
    assert mixed.pk in seen(SyncProgressTask.objects.filter(EVERYTHING.tasks()))


def test_what_concerns_all_shops_is_refused(limited: User) -> None:
    EVERYTHING.require_everything()
    with pytest.raises(LimitedToShops):
        Sight.of(limited).require_everything()
