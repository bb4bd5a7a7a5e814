"""Staff who are limited to some shops find nothing of the others in any list or page of the console."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from datasync import models
from datasync.admin.sight import WithinSight
from datasync.choices import FileState
from tests.admin_rows import make_template
from tests.admin_sight import Rows, address, client_for, listed, make_shop, rows_of, staff_limited_to
from tests.facts_support import make as make_fact
from tests.quarantine_rows import make_file, make_row, make_task

pytestmark = pytest.mark.django_db

OF_SHOPS = {
    "AuditEntry", "CatalogFile", "CollectionAccount", "ConfirmedRows", "ExportArchive", "QualityReport",
    "QuarantinedRow", "Shop", "ShopAlias", "SyncProgressTask", "SyncTaskFile",
    *(model.__name__ for model in models.FACT_MODELS.values()),
}  # fmt: skip
"""Rows of shops: those in sight are shown."""
OF_ALL = {"ComponentVersion", "HeaderTemplate", "Platform"}
"""What holds for all shops: everybody may look."""
OUT_OF_SIGHT = {
    "AccessAttempt", "ApiToken", "ClockedSchedule", "CreditAccount", "CreditEntry", "CrontabSchedule", "Group",
    "GroupResult", "HeaderSet", "IntervalSchedule", "PeriodicTask", "RateLimitDay", "RateLimitEvent", "RateRule",
    "ShopLimit", "SolarSchedule", "TaskResult", "User", "UserQuota", "WorkerHeartbeat",
}  # fmt: skip
"""What is of no shop and of no use without all of them: who is limited has no such pages."""
PAGES = {model.__name__: model for model in admin.site._registry}


def of_shops() -> list[type[Any]]:
    return [model for name, model in sorted(PAGES.items()) if name in OF_SHOPS]


@pytest.fixture
def person() -> User:
    """Staff who see one shop."""
    return staff_limited_to(make_shop("mine"))


@pytest.fixture
def mine(person: User) -> Rows:
    return rows_of(models.Shop.objects.get(shop_id="mine"), owner=person)


@pytest.fixture
def theirs(person: User) -> Rows:
    return rows_of(make_shop("theirs"), owner=person)


@pytest.fixture
def limited(person: User) -> Client:
    return client_for(person)


def test_of_every_page_it_is_said_what_of_it_is_in_sight() -> None:
    unlisted = set(PAGES) - OF_SHOPS - OF_ALL - OUT_OF_SIGHT
    assert unlisted == set(), "say for whom each page is"
    assert [page for page in admin.site._registry.values() if not isinstance(page, WithinSight)] == []


@pytest.mark.parametrize("model", of_shops(), ids=lambda model: model.__name__)
def test_a_list_shows_what_is_in_sight(limited: Client, mine: Rows, theirs: Rows, model: type[Any]) -> None:
    assert listed(limited, model) == {mine[model].pk}
    page = limited.get(address(model, "changelist")).content.decode()
    assert "theirs" not in page


@pytest.mark.parametrize("model", of_shops(), ids=lambda model: model.__name__)
def test_a_search_finds_what_is_in_sight(limited: Client, mine: Rows, theirs: Rows, model: type[Any]) -> None:
    assert theirs[model].pk not in listed(limited, model, q="theirs")


@pytest.mark.parametrize("model", of_shops(), ids=lambda model: model.__name__)
def test_a_page_out_of_sight_is_as_unknown(limited: Client, mine: Rows, theirs: Rows, model: type[Any]) -> None:
    page = limited.get(address(model, "change", mine[model].pk))
    assert page.status_code == 200
    assert "theirs" not in page.content.decode()
    unknown = theirs[model].pk
    assert limited.get(address(model, "history", mine[model].pk)).status_code == 200
    for name in ("change", "history"):
        assert limited.get(address(model, name, unknown)).status_code == 404
    assert limited.get(address(model, "delete", unknown)).status_code in {403, 404}
    assert limited.post(address(model, "change", unknown), {"x": "y"}).status_code in {403, 404}


@pytest.mark.parametrize("model", of_shops(), ids=lambda model: model.__name__)
def test_others_are_not_limited(admin_client: Client, mine: Rows, theirs: Rows, model: type[Any]) -> None:
    both = {mine[model].pk, theirs[model].pk}
    assert listed(admin_client, model) == both
    free = staff_limited_to(username="free")
    models.ShopLimit.objects.filter(user=free).delete()
    assert listed(client_for(free), model) == both


@pytest.mark.parametrize("model", of_shops(), ids=lambda model: model.__name__)
def test_a_limit_without_shops_shows_nothing(mine: Rows, model: type[Any]) -> None:
    assert listed(client_for(staff_limited_to(username="none")), model) == set()


def test_a_superuser_is_never_limited(admin_client: Client, admin_user: User, theirs: Rows) -> None:
    models.ShopLimit.objects.create(user=admin_user)
    assert listed(admin_client, models.CatalogFile) == {theirs[models.CatalogFile].pk}


@pytest.mark.parametrize("name", sorted(OUT_OF_SIGHT & set(PAGES)))
def test_what_is_of_no_shop_has_no_page(limited: Client, name: str) -> None:
    model = PAGES[name]
    assert limited.get(address(model, "changelist")).status_code == 403
    assert limited.get(address(model, "add")).status_code == 403
    assert address(model, "changelist") not in limited.get("/admin/").content.decode()


@pytest.mark.parametrize("name", sorted(OF_ALL))
def test_what_holds_for_all_shops_is_looked_at(limited: Client, theirs: Rows, name: str) -> None:
    template = make_template()
    version = models.ComponentVersion.objects.create(component="collector", version="1.0")
    rows: dict[str, Any] = {"HeaderTemplate": template, "ComponentVersion": version, "Platform": template.platform}
    row = rows[name]
    assert listed(limited, type(row)) == {row.pk}
    page = limited.get(address(type(row), "change", row.pk))
    assert page.status_code == 200
    assert "theirs" not in page.content.decode()


WRITTEN_BY_HAND = (
    models.Platform, models.Shop, models.ShopAlias, models.CollectionAccount, models.ComponentVersion,
)  # fmt: skip


@pytest.mark.parametrize("model", WRITTEN_BY_HAND, ids=lambda model: model.__name__)
def test_what_all_shops_share_is_not_changed(limited: Client, mine: Rows, model: type[Any]) -> None:
    models.ComponentVersion.objects.create(component="collector", version="1.0")
    row = model._default_manager.get()
    assert limited.get(address(model, "add")).status_code == 403
    assert limited.post(address(model, "change", row.pk), {}).status_code == 403
    assert limited.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()


def test_a_file_without_a_shop_is_seen_by_who_uploaded_it(limited: Client, person: User) -> None:
    make_file("scanned.csv", shop=None)
    uploaded = make_file("uploaded.csv", shop=None, uploaded_by=person)
    row = make_row(uploaded, 2, "A", "x", "")
    assert listed(limited, models.CatalogFile) == {uploaded.pk}
    assert listed(limited, models.QuarantinedRow) == {row.pk}


def test_a_task_with_a_file_out_of_sight_is_out_of_sight(limited: Client, mine: Rows, theirs: Rows) -> None:
    both = make_task(mine[models.CatalogFile], theirs[models.CatalogFile], task_id="both")
    assert listed(limited, models.SyncProgressTask) == {mine[models.SyncProgressTask].pk}
    assert listed(limited, models.SyncTaskFile) == {mine[models.SyncTaskFile].pk}
    assert limited.get(address(models.SyncProgressTask, "change", both.pk)).status_code == 404


def test_what_leads_out_of_sight_is_not_told(limited: Client, mine: Rows, theirs: Rows) -> None:
    both = make_task(mine[models.CatalogFile], theirs[models.CatalogFile], task_id="batch_of_theirs")
    report, row, task = (
        mine[model] for model in (models.QualityReport, models.QuarantinedRow, models.SyncProgressTask)
    )
    models.QualityReport.objects.filter(pk=report.pk).update(task=both)
    models.QuarantinedRow.objects.filter(pk=row.pk).update(item=both.items.first())
    models.SyncProgressTask.objects.filter(pk=task.pk).update(parent=both)
    for one in (report, row, task):
        page = limited.get(address(type(one), "change", one.pk)).content.decode()
        assert "theirs" not in page
        assert address(models.SyncProgressTask, "change", both.pk) not in page
        assert address(models.SyncTaskFile, "change", both.items.first().pk) not in page  # type: ignore[union-attr]


def test_a_fact_tells_of_files_in_sight(limited: Client, mine: Rows, theirs: Rows) -> None:
    fact = mine[models.OrderLine]
    models.OrderLine.objects.filter(pk=fact.pk).update(file_last=theirs[models.CatalogFile])
    for page in (address(models.OrderLine, "changelist"), address(models.OrderLine, "change", fact.pk)):
        shown = limited.get(page).content.decode()
        assert "theirs" not in shown
        assert address(models.CatalogFile, "change", theirs[models.CatalogFile].pk) not in shown
    assert "mine.csv" in shown


def test_acts_on_templates_are_not_seen(limited: Client, mine: Rows) -> None:
    """They are told with how many files and rows of all shops they were about."""
    template = make_template()
    for action in ("template_published", "remap_started"):
        models.AuditEntry.objects.create(action=action, template=template, rows=1200, detail={"files": 31})
    models.AuditEntry.objects.create(action="template_deleted")
    assert listed(limited, models.AuditEntry) == {mine[models.AuditEntry].pk}


def test_a_deletion_does_not_tell_whose_its_rows_are_now(limited: Client, admin_client: Client, mine: Rows) -> None:
    detail = {"rows": "delete", "stored_rows": 57, "handed_over": {"8123": 41}}
    entry = models.AuditEntry.objects.create(action="file_deleted", file=mine[models.CatalogFile], detail=detail)
    page = address(models.AuditEntry, "change", entry.pk)
    shown = limited.get(page).content.decode()
    assert "57" in shown
    assert "8123" not in shown
    assert "8123" in admin_client.get(page).content.decode()


def test_an_entry_does_not_tell_of_which_shop_the_file_was_before(
    limited: Client, admin_client: Client, mine: Rows
) -> None:
    changed = {"shop": {"from": "of-the-others", "to": "mine"}, "account": {"from": "their account", "to": ""}}
    detail = {"changed": changed | {"domain": {"from": "orders", "to": "products"}}, "filters": {"task_id": "theirs"}}
    entry = models.AuditEntry.objects.create(action="file_described", file=mine[models.CatalogFile], detail=detail)
    page = address(models.AuditEntry, "change", entry.pk)
    shown, whole = (one.get(page).content.decode() for one in (limited, admin_client))
    assert "domain" in shown
    for name in ("of-the-others", "their account", "theirs"):
        assert name not in shown
        assert name in whole


def test_archives_are_ones_own_and_of_files_in_sight(limited: Client, person: User, mine: Rows) -> None:
    archive, file = mine[models.ExportArchive], mine[models.CatalogFile]
    models.ExportArchive.objects.create(what="cleaned", file_ids=[file.pk])
    other = make_file("other.csv", shop=make_shop("theirs"))
    models.ExportArchive.objects.create(what="cleaned", file_ids=[file.pk, other.pk], owner=person)
    assert listed(limited, models.ExportArchive) == {archive.pk}


def test_deleted_files_out_of_sight_stay_so(limited: Client, mine: Rows, theirs: Rows) -> None:
    models.CatalogFile.objects.update(state=FileState.DELETED)
    assert listed(limited, models.CatalogFile, state__exact="deleted") == {mine[models.CatalogFile].pk}


@pytest.mark.parametrize("name", ["CatalogFile", "SyncProgressTask", "QuarantinedRow", "OrderLine", "AuditEntry"])
def test_limits_cost_the_same_however_many_rows(limited: Client, mine: Rows, name: str) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            limited.get(address(PAGES[name], "changelist"))
        return len(captured)

    few, shop = statements(), mine[models.Shop]
    for number in range(5):
        file = make_file(f"{number}.csv", shop=shop)
        task = make_task(file, task_id=f"batch_{number}")
        make_row(file, 2, "A", "x", "", item=task.items.get())
        models.AuditEntry.objects.create(action="file_described", file=file)
        make_fact(models.OrderLine, file)
    assert statements() == few
