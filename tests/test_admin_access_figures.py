"""Figures, choices and hints of the console are of what is in sight."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from datasync import models
from datasync.admin import facts
from datasync.choices import FileState
from tests.admin_rows import make_template
from tests.admin_sight import (
    Rows,
    address,
    client_for,
    limited,
    listed,
    make_shop,
    mine,
    staff_limited_to,
    theirs,
)
from tests.quarantine_rows import make_file

__all__ = ["limited", "mine", "theirs"]
pytestmark = pytest.mark.django_db
START = reverse("admin:index")


def step(client: Client, what: str) -> str | None:
    """The figure beside a line of the start page."""
    steps = {str(one.what): one.count for one in client.get(START).context["steps"]}
    return steps.get(what)


def test_the_start_page_counts_what_is_in_sight(limited: Client, admin_client: Client, theirs: Rows) -> None:
    make_file("more.csv", shop=theirs[models.Shop], state=FileState.FAILED)
    for what, all_of_them, seen in (
        ("files: pending", "2", "1"),
        ("files: failed", "1", None),
        ("quarantined rows: open", "2", "1"),
    ):
        assert (step(admin_client, what), step(limited, what)) == (all_of_them, seen)


def test_the_start_page_says_what_is_in_sight(limited: Client, admin_client: Client, theirs: Rows) -> None:
    assert "these shops: Shop mine." in limited.get(START).content.decode()
    assert "shops-in-sight" not in admin_client.get(START).content.decode()
    nothing = client_for(staff_limited_to(username="nothing")).get(START).content.decode()
    assert "none is named" in nothing
    assert "Scan folders" not in nothing


def test_shops_of_a_platform_are_counted_within_sight(limited: Client, admin_client: Client, theirs: Rows) -> None:
    counts = [
        client.get(address(models.Platform, "changelist")).context["cl"].result_list[0].counted_shops
        for client in (limited, admin_client)
    ]
    assert counts == [1, 2]


def test_files_of_a_template_are_counted_within_sight(limited: Client, admin_client: Client, theirs: Rows) -> None:
    template = make_template()
    models.CatalogFile.objects.update(template=template)
    page = address(models.HeaderTemplate, "change", template.pk)
    link = f'?template__id__exact={template.pk}">'
    assert f"{link}1</a>" in limited.get(page).content.decode()
    assert f"{link}2</a>" in admin_client.get(page).content.decode()


def test_templates_are_chosen_by_the_files_in_sight(limited: Client, admin_client: Client, theirs: Rows) -> None:
    template = make_template()
    models.CatalogFile.objects.update(template=template, match={"outcome": "exact"}, state=FileState.INGESTED)
    theirs[models.CatalogFile].state = FileState.TEMPLATE_UPDATE_REQUIRED
    theirs[models.CatalogFile].save()
    assert listed(admin_client, models.HeaderTemplate, coverage="needs_update") == {template.pk}
    assert listed(limited, models.HeaderTemplate, coverage="needs_update") == set()


def test_how_many_facts_there_are_in_all_is_not_told(
    limited: Client, theirs: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "LISTED_AT_MOST", 1)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE datasync_orderline")
    assert limited.get(address(models.OrderLine, "changelist")).context["subtitle"] is None


def test_the_filter_of_facts_offers_shops_in_sight(limited: Client, mine: Rows, theirs: Rows) -> None:
    page = limited.get(address(models.OrderLine, "changelist")).content.decode()
    assert "Shop mine" in page
    assert "Shop theirs" not in page
    assert listed(limited, models.OrderLine, shop=str(mine[models.Shop].pk)) == {mine[models.OrderLine].pk}
    for shop in (str(theirs[models.Shop].pk), "9" * 30, "9" * 5000, "x"):
        assert listed(limited, models.OrderLine, shop=shop) == set()


def test_facts_of_many_shops_are_found(mine: Rows, theirs: Rows) -> None:
    shops = [mine[models.Shop], theirs[models.Shop], *(make_shop(f"s{number}") for number in range(60))]
    client = client_for(staff_limited_to(*shops, username="many"))
    assert listed(client, models.OrderLine) == {mine[models.OrderLine].pk, theirs[models.OrderLine].pk}


@pytest.mark.parametrize("term", ["", "theirs", "Shop"])
def test_autocomplete_offers_shops_in_sight(limited: Client, mine: Rows, theirs: Rows, term: str) -> None:
    asked: dict[str, Any] = {"app_label": "datasync", "model_name": "catalogfile", "field_name": "shop", "term": term}
    response = limited.get(reverse("admin:autocomplete"), asked)
    found = {one["text"] for one in json.loads(response.content)["results"]}
    assert found == (set() if term == "theirs" else {"Shop mine"})


def test_the_books_of_a_file_and_a_task_are_shown(limited: Client, mine: Rows) -> None:
    for model in (models.CatalogFile, models.SyncProgressTask):
        page = limited.get(address(model, "change", mine[model].pk)).content.decode()
        assert "% lost" in page


def test_an_empty_list_says_why(limited: Client, mine: Rows) -> None:
    models.QuarantinedRow.objects.all().delete()
    assert (
        "the shops that you are limited to"
        in limited.get(address(models.QuarantinedRow, "changelist")).content.decode()
    )


def test_a_limit_holds_at_once(mine: Rows, theirs: Rows) -> None:
    person = staff_limited_to(username="moved")
    client = client_for(person)
    assert listed(client, models.CatalogFile) == set()
    models.ShopLimit.objects.get(user=person).shops.add(theirs[models.Shop])
    assert listed(client, models.CatalogFile) == {theirs[models.CatalogFile].pk}
    models.ShopLimit.objects.filter(user=person).delete()
    assert listed(client, models.CatalogFile) == {mine[models.CatalogFile].pk, theirs[models.CatalogFile].pk}
    assert User.objects.get(pk=person.pk).has_perm("datasync.view_catalogfile")
