"""Every page of the operators answers: with rows and without, for staff; nobody else gets in."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from datasync.models import FACT_MODELS
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


def test_every_model_is_registered() -> None:
    inline_only = {"TemplateColumn"}
    missing = {model.__name__ for model in MODELS if model not in admin.site._registry} - inline_only
    assert missing == set()


REGISTERED = [model for model in MODELS if model.__name__ != "TemplateColumn"]


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


HISTORY = [
    "ConfirmedRows", "ExportArchive", "HeaderSet", "ProductImage", "QualityReport", "QuarantinedRow",
    "SyncProgressTask", "SyncTaskFile", *(model.__name__ for model in FACT_MODELS.values()),
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
