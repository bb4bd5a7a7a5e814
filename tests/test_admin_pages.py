"""Every page of the operators answers: with rows and without, for staff; nobody else gets in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from datasync.models import FACT_MODELS, CatalogFile, OrderLine
from tests.admin_rows import one_of_each

MODELS = sorted(
    (model for model in apps.get_app_config("datasync").get_models()), key=lambda model: model.__name__
)  # fmt: skip
pytestmark = pytest.mark.django_db


def address(model: type[Any], page: str, *args: object) -> str:
    return reverse(f"admin:datasync_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def rows() -> dict[type[Any], Any]:
    return one_of_each()


WITHOUT_A_PAGE = {
    "TemplateColumn",  # shown with its template
    "ProductImage",  # nothing fills it yet
    "IdempotencyKey",  # nothing to look at, and gone after a day
}  # fmt: skip


def test_every_model_is_registered() -> None:
    assert {model.__name__ for model in MODELS if model not in admin.site._registry} == WITHOUT_A_PAGE


REGISTERED = [model for model in MODELS if model.__name__ not in WITHOUT_A_PAGE]


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_empty_list_says_what_to_do(admin_client: Client, model: type[Any]) -> None:
    response = admin_client.get(address(model, "changelist"))
    assert response.status_code == 200
    hint = str(admin.site._registry[model].empty_hint)  # type: ignore[attr-defined]
    assert len(hint) > 20
    assert 'class="empty-hint"' in response.content.decode()


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_pages_with_rows(admin_client: Client, rows: dict[type[Any], Any], model: type[Any]) -> None:
    for language in ("en", "zh-hans"):
        listed = admin_client.get(address(model, "changelist"), headers={"accept-language": language})
        assert listed.status_code == 200
        assert 'class="empty-hint"' not in listed.content.decode()
        page = admin_client.get(address(model, "change", rows[model].pk), headers={"accept-language": language})
        assert page.status_code == 200


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_search_and_filters(admin_client: Client, rows: dict[type[Any], Any], model: type[Any]) -> None:
    searched = admin_client.get(address(model, "changelist"), {"q": "nothing-is-called-that"})
    assert searched.status_code == 200
    if admin.site._registry[model].search_fields:
        assert 'class="empty-hint"' in searched.content.decode()


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_anonymous_is_sent_to_the_sign_in(client: Client, model: type[Any]) -> None:
    response = client.get(address(model, "changelist"))
    assert response.status_code == 302
    assert reverse("admin:login") in response["Location"]


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_hint_of_an_empty_list_follows_the_reader(admin_client: Client, model: type[Any]) -> None:
    hint = re.compile(r'class="empty-hint">([^<]*)<')
    shown = []
    for language in ("en", "zh-hans"):
        page = admin_client.get(address(model, "changelist"), headers={"accept-language": language})
        shown += hint.findall(page.content.decode())
    english, chinese = shown
    assert english.isascii() or "“" in english
    assert re.search(r"[\u4e00-\u9fff]{4}", chinese)


def test_title_with_a_figure_follows_the_reader(admin_client: Client, rows: dict[type[Any], Any]) -> None:
    task = apps.get_model("datasync", "SyncProgressTask")
    page = address(task, "change", rows[task].pk)
    shown = admin_client.get(page, headers={"accept-language": "zh-hans"}).content.decode()
    assert "文件（前 100 个，失败的在前）" in shown


@pytest.mark.parametrize("name", ["CatalogFile", "SyncProgressTask", "SyncTaskFile"])
def test_stored_errors_follow_the_reader(admin_client: Client, rows: dict[type[Any], Any], name: str) -> None:
    model = apps.get_model("datasync", name)
    page = address(model, "change", rows[model].pk)
    english = admin_client.get(page, headers={"accept-language": "en"}).content.decode()
    chinese = admin_client.get(page, headers={"accept-language": "zh-hans"}).content.decode()
    assert "no longer fits its template: missing 订单编号" in english
    assert "文件表头已与模板不符：缺少 订单编号" in chinese
    assert "no longer fits" not in chinese


def test_list_of_files_shows_state_and_error_beside_a_short_name(
    admin_client: Client, rows: dict[type[Any], Any]
) -> None:
    file = rows[CatalogFile]
    CatalogFile.objects.filter(pk=file.pk).update(original_name="long" * 50 + '".csv')
    page = admin_client.get(address(CatalogFile, "changelist")).content.decode()
    columns = re.findall(r'<th scope="col" class="[^"]*column-([a-z_]+)', page)
    assert columns == [
        "short_name", "state_and_error", "row_summary", "platform", "domain", "shop", "template_name",
    ]  # fmt: skip
    assert 'title="' + "long" * 50 + "&quot;.csv" in page
    assert ">HEADER_CHANGED</span>" in page


def test_nothing_links_to_a_site_that_is_not_there(admin_client: Client, client: Client) -> None:
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert "View site" not in page
    assert client.get("/")["Location"] == reverse("admin:index")


HISTORY = [
    "AuditEntry", "ConfirmedRows", "HeaderSet", "QualityReport", "QuarantinedRow", "SyncProgressTask", "SyncTaskFile",
    *(model.__name__ for model in FACT_MODELS.values()),
]  # fmt: skip


@pytest.mark.parametrize("name", HISTORY)
def test_history_cannot_be_changed(admin_client: Client, rows: dict[type[Any], Any], name: str) -> None:
    model = apps.get_model("datasync", name)
    assert admin_client.get(address(model, "add")).status_code == 403
    assert admin_client.post(address(model, "change", rows[model].pk), {}).status_code == 403
    assert admin_client.post(address(model, "delete", rows[model].pk), {"post": "yes"}).status_code == 403


def test_staff_sees_what_it_may_view(client: Client, rows: dict[type[Any], Any]) -> None:
    task = apps.get_model("datasync", "SyncProgressTask")
    user = User.objects.create_user("operator", is_staff=True)
    client.force_login(user)
    assert client.get(address(task, "changelist")).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_syncprogresstask"))
    assert client.get(address(task, "changelist")).status_code == 200
    assert client.get(address(task, "change", rows[task].pk)).status_code == 200


def test_the_start_page_says_what_to_do_next(admin_client: Client, client: Client) -> None:
    assert "Scan folders" in admin_client.get(reverse("admin:index")).content.decode()
    made = one_of_each()
    file, row = made[CatalogFile], made[apps.get_model("datasync", "QuarantinedRow")]
    CatalogFile.objects.filter(pk=file.pk).update(state="needs_description")
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert f'{address(CatalogFile, "changelist")}?state__exact=needs_description">Files: needs description</a>' in page
    assert f"{address(type(row), 'changelist')}?state__exact={row.state}" in page
    operator = User.objects.create_user("operator", is_staff=True)
    client.force_login(operator)
    assert "Nothing waits for you." in client.get(reverse("admin:index")).content.decode()
    operator.user_permissions.add(Permission.objects.get(codename="change_catalogfile"))
    page = client.get(reverse("admin:index")).content.decode()
    assert "Files: needs description" in page
    assert address(type(row), "changelist") not in page


def test_the_names_of_people_stay_in_the_console() -> None:
    assert OrderLine._meta.get_field("order_amount_cny").verbose_name == "order amount cny"


def test_fields_are_called_as_people_call_them(admin_client: Client, rows: dict[type[Any], Any]) -> None:
    order_line = FACT_MODELS["orders"]
    for language, names in (
        ("zh-hans", ("订单编号", "订单金额（人民币）")),
        ("en", ("Order ID", "Order amount (CNY)")),
    ):
        page = admin_client.get(
            address(order_line, "change", rows[order_line].pk), headers={"accept-language": language}
        ).content.decode()
        assert all(f"{name}:</label>" in page for name in names)
        listed = admin_client.get(address(order_line, "changelist"), headers={"accept-language": language})
        assert f">{names[0]}</" in listed.content.decode()
