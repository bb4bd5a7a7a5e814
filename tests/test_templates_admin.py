"""Templates in the admin: the same acts through the same services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from datasync.choices import AuditAction
from datasync.mapping import services
from datasync.models import AuditEntry, CatalogFile, HeaderTemplate
from tests.quarantine_rows import make_file
from tests.templates_support import draft, waiting

pytestmark = pytest.mark.django_db
LIST = reverse("admin:datasync_headertemplate_changelist")


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


def act(browser: Client, action: str, *rows: HeaderTemplate) -> Any:
    return browser.post(LIST, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


def test_a_draft_is_published_and_archived_in_ones_own_name(browser: Client) -> None:
    row = draft()
    assert "Published" in act(browser, "publish", row).content.decode()
    assert "Archived" in act(browser, "archive", row).content.decode()
    row.refresh_from_db()
    assert row.state == "archived"
    assert set(AuditEntry.objects.values_list("action", "actor_name")) == {
        (AuditAction.TEMPLATE_PUBLISHED, "ada"),
        (AuditAction.TEMPLATE_ARCHIVED, "ada"),
    }


def test_what_is_published_cannot_be_published_again(browser: Client) -> None:
    row = services.publish(draft())
    assert "only a draft" in act(browser, "publish", row).content.decode()


def test_a_new_version_is_drafted(browser: Client) -> None:
    row = services.publish(draft())
    act(browser, "new_version", row)
    assert sorted(HeaderTemplate.objects.values_list("version", "state")) == [(1, "published"), (2, "draft")]


def test_two_versions_are_compared(browser: Client) -> None:
    before, after = draft(), draft("Order ID", "SKU", "<script>alert(1)</script>")
    page = act(browser, "compare", after, before).content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "Choose two" in act(browser, "compare", before).content.decode()


def test_one_template_is_exported(browser: Client) -> None:
    row = draft()
    response = act(browser, "export", row)
    assert response.content.startswith(b"[family]\n")
    assert "attachment" in response["Content-Disposition"]
    assert "Choose one" in act(browser, "export", row, draft()).content.decode()


def test_waiting_files_look_again(browser: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA_ROOTS = [tmp_path]
    file = waiting(tmp_path)
    row = services.publish(draft())
    CatalogFile.objects.update(template=None, match={})
    act(browser, "recheck", row)
    file.refresh_from_db()
    assert file.template_id == row.pk


def test_families_that_need_work_are_found(browser: Client) -> None:
    good, moved = services.publish(draft()), services.publish(draft(variant="moved"))
    make_file("a.csv", template=moved, match={"outcome": "noted"})
    page = browser.get(LIST, {"coverage": "outdated"}).content.decode()
    assert f"/headertemplate/{moved.pk}/" in page
    assert f"/headertemplate/{good.pk}/" not in page
    assert f"/headertemplate/{good.pk}/" not in browser.get(LIST, {"coverage": "needs_update"}).content.decode()
    make_file("b.csv")
    assert f"/headertemplate/{good.pk}/" in browser.get(LIST, {"coverage": "needs_update"}).content.decode()
