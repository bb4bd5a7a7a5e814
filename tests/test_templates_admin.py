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


def act(browser: Client, action: str, *rows: HeaderTemplate, **more: str) -> Any:
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return browser.post(LIST, chosen | more, follow=True)


def test_a_draft_is_published_and_archived_in_ones_own_name(browser: Client) -> None:
    row = draft()
    assert "Published" in act(browser, "publish", row, confirmed="1").content.decode()
    assert "Archived" in act(browser, "archive", row, confirmed="1").content.decode()
    row.refresh_from_db()
    assert row.state == "archived"
    entries = AuditEntry.objects.exclude(action=AuditAction.TEMPLATE_DRAFTED)
    assert set(entries.values_list("action", "actor_name")) == {
        (AuditAction.TEMPLATE_PUBLISHED, "ada"),
        (AuditAction.TEMPLATE_ARCHIVED, "ada"),
    }


def test_what_would_happen_is_shown_before_it_does(browser: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA_ROOTS = [tmp_path]
    old = services.publish(draft("A", "B", "C"))
    waiting(tmp_path), waiting(tmp_path, 2, header=["A", "B", "C"], template=old, match={"outcome": "exact"})
    new = draft()
    page = act(browser, "publish", new).content.decode()
    assert f"<td>{old}</td><td>1</td><td>1</td><td>0</td>" in page
    assert 'name="confirmed"' in page
    page = act(browser, "archive", old).content.decode()
    assert "<td>1</td><td>0</td><td>0</td><td>0</td>" in page
    assert set(HeaderTemplate.objects.values_list("pk", "state")) == {(old.pk, "published"), (new.pk, "draft")}


def test_what_is_published_cannot_be_published_again(browser: Client) -> None:
    row = services.publish(draft())
    assert "only a draft" in act(browser, "publish", row).content.decode()
    assert "only a draft" in act(browser, "publish", row, confirmed="1").content.decode()


def test_a_new_version_is_drafted(browser: Client) -> None:
    row = services.publish(draft())
    act(browser, "new_version", row)
    assert sorted(HeaderTemplate.objects.values_list("version", "state")) == [(1, "published"), (2, "draft")]


def test_two_versions_are_compared(browser: Client) -> None:
    before, after = draft(), draft("Order ID", "SKU", "<script>alert(1)</script>")
    page = act(browser, "compare", after, before).content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "it is synced, with a note of what differs" in page
    assert "<th>match rate</th><td>66.7%</td>" in page
    assert "Nothing else differs." not in page
    same = services.copy_as_draft(before.pk, actor=None)
    assert "Nothing else differs." in act(browser, "compare", before, same).content.decode()
    assert "Choose two" in act(browser, "compare", before).content.decode()


def test_a_template_is_compared_with_a_file(browser: Client) -> None:
    row, file = draft(), make_file(header=["Order ID", "SKU", "<b>Pieces</b>"])
    unread, other = make_file("unread.csv"), make_file("other.csv", domain="products")
    page = act(browser, "compare_file", row).content.decode()
    assert "<form" in page
    assert file.original_name in page
    assert other.original_name not in page
    address = reverse("admin:datasync_headertemplate_compare", args=(row.pk,))
    page = browser.get(address, {"file": file.pk}).content.decode()
    assert "&lt;b&gt;Pieces&lt;/b&gt;" in page
    assert "match rate" in page
    assert "HEADER_UNKNOWN" in browser.get(address, {"file": unread.pk}).content.decode()
    for wrong in (other.pk, "x", 2**70):
        assert "errorlist" in browser.get(address, {"file": wrong}).content.decode()
    assert browser.get(reverse("admin:datasync_headertemplate_compare", args=(424242,))).status_code == 404
    assert "Choose one" in act(browser, "compare_file", row, draft()).content.decode()


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
