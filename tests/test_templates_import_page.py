"""Importing a template file in the admin: shown first, then made."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from datasync.mapping import services
from datasync.mapping.store import to_template
from datasync.mapping.template_file import MOST_TEMPLATE_BYTES, dump_template
from datasync.models import HeaderTemplate
from tests.templates_support import draft, template

pytestmark = pytest.mark.django_db
IMPORT = reverse("admin:datasync_headertemplate_import")


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


def send(browser: Client, content: bytes | str, **more: str) -> str:
    content = content.encode() if isinstance(content, str) else content
    return browser.post(IMPORT, {"file": SimpleUploadedFile("t.toml", content), **more}).content.decode()


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return unescape(found[1])


def decide(browser: Client, page: str, act: str) -> Any:
    return browser.post(IMPORT, {"name": hidden(page, "name"), "text": hidden(page, "text"), act: "1"}, follow=True)


@pytest.mark.parametrize(("act", "state"), [("draft", "draft"), ("publish", "published")])
def test_a_file_is_shown_and_then_imported(browser: Client, act: str, state: str) -> None:
    services.publish(draft())
    odd = template("Order ID", "SKU", '"<script>alert(1)</script>" &amp;', header_row=2)
    page = send(browser, dump_template(odd))
    assert "shopee/shopee/orders/daily v2 default" in page
    assert "<script>alert" not in page
    assert HeaderTemplate.objects.count() == 1
    decide(browser, page, act)
    row = HeaderTemplate.objects.get(version=2)
    assert (row.state, row.created_by and row.created_by.username) == (state, "ada")
    assert to_template(row).columns == odd.columns


def test_what_says_the_same_is_left(browser: Client) -> None:
    row = services.publish(draft())
    page = send(browser, dump_template(template()))
    assert "says the same as the published version" in page
    assert f"/{row.pk}/" in decide(browser, page, "publish").content.decode()
    assert HeaderTemplate.objects.count() == 1


@pytest.mark.parametrize("content", [b"x", b"\xff\xfe\x00", b"a=" + b"[" * 5000, b"[family]\nplatform='<b>'"])
def test_what_is_no_template_says_why(browser: Client, content: bytes) -> None:
    draft()
    page = send(browser, content)
    assert "TEMPLATE_INVALID" in page
    assert "<b>'" not in page
    assert HeaderTemplate.objects.count() == 1


def test_no_file_and_one_that_is_too_large(browser: Client) -> None:
    assert "Choose a file." in browser.post(IMPORT).content.decode()
    assert "at most 1 MB" in send(browser, b"#" * (MOST_TEMPLATE_BYTES + 1))


def test_the_list_leads_there(browser: Client) -> None:
    draft()
    page = browser.get(reverse("admin:datasync_headertemplate_changelist")).content.decode()
    assert f'href="{IMPORT}"' in page
