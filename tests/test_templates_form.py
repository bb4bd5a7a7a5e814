"""The form of a draft in the admin: checked and numbered as at every other door; errors stand at their field."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from datasync.access import EVERYTHING
from datasync.choices import AuditAction
from datasync.mapping import services
from datasync.mapping.store import to_template
from datasync.mapping.versions import find_template
from datasync.models import AuditEntry, HeaderTemplate, Platform
from tests.templates_support import draft, template

pytestmark = pytest.mark.django_db
ADD = reverse("admin:datasync_headertemplate_add")
SETTINGS = {
    "platform": "shopee", "source_platform": "shopee", "domain": "orders", "sub_domain": "", "granularity": "daily",
    "variant": "", "header_row": "0", "header_rows": "1", "data_row": "", "sheet": "", "number_format": "dot",
    "identity": '["order_id", "sku"]', "notes": "n",
}  # fmt: skip
COLUMNS = (("Order ID", "order_id", "identifier"), ("SKU", "sku", "identifier"), ("Quantity", "quantity", "integer"))


@pytest.fixture
def browser() -> Client:
    Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


def address(row: HeaderTemplate, page: str = "change") -> str:
    return reverse(f"admin:datasync_headertemplate_{page}", args=(row.pk,))


def filled(*columns: tuple[str, str, str], row: HeaderTemplate | None = None, **changes: str) -> dict[str, str]:
    """The form as a browser sends it."""
    ids = list(row.columns.values_list("pk", flat=True)) if row else []
    told = {**SETTINGS, "columns-TOTAL_FORMS": str(len(columns)), "columns-INITIAL_FORMS": str(len(ids))}
    for number, (header, field, kind) in enumerate(columns):
        values = {"position": str(number), "header": header, "field": field, "kind": kind, "aliases": "[]"}
        values |= {"required": "on"} if not number else {}
        values |= {"id": str(ids[number]), "template": str(row.pk)} if row and number < len(ids) else {}
        told |= {f"columns-{number}-{name}": value for name, value in values.items()}
    return told | changes


def errors(response: Any) -> dict[str, list[str]]:
    """What is wrong, by field."""
    assert response.status_code == 200
    shown = response.context["adminform"].form.errors
    (inline,) = response.context["inline_admin_formsets"]
    found = {name: list(told) for name, told in shown.items()}
    for number, one in enumerate(inline.formset.errors):
        found |= {f"columns-{number}-{name}": list(told) for name, told in one.items()}
    return found | ({"columns": list(inline.formset.non_form_errors())} if inline.formset.non_form_errors() else {})


def test_a_draft_is_made_numbered_and_written_down(browser: Client) -> None:
    draft()
    response = browser.post(ADD, filled(*COLUMNS, version="9"))
    row = HeaderTemplate.objects.latest("pk")
    assert response.status_code == 302
    assert (row.version, row.state, row.origin, row.notes) == (2, "draft", "operator", "n")
    assert row.created_by is not None
    assert to_template(row) == template(version=2)
    assert row.fingerprint == to_template(row).fingerprint
    entry = AuditEntry.objects.get(action=AuditAction.TEMPLATE_DRAFTED, template=row)
    assert entry.actor_name == "ada"


def test_a_draft_is_changed(browser: Client) -> None:
    row = draft()
    columns = (("Quantity", "quantity", "integer"), *COLUMNS[:2])
    changed = filled(*columns, row=row, header_row="2") | {
        "columns-0-position": "9",
        "columns-0-required": "",
        "columns-1-required": "on",
        "columns-1-header": " Order ID",
    }
    assert browser.post(address(row), changed).status_code == 302
    told = to_template(find_template(row.pk))
    assert told == template(" Order ID", "SKU", "Quantity", header_row=2)
    detail = AuditEntry.objects.get(action=AuditAction.TEMPLATE_CHANGED, template=row).detail
    assert (detail["before"]["header_row"], detail["after"]["header_row"]) == (0, 2)


def test_columns_are_added_and_taken_away(browser: Client) -> None:
    row = draft()
    more = filled(*COLUMNS, ("Note", "", "text"), row=row) | {"columns-2-DELETE": "on"}
    assert browser.post(address(row), more).status_code == 302
    assert [(one.position, one.header) for one in find_template(row.pk).columns.all()] == [
        (0, "Order ID"), (1, "SKU"), (2, "Note"),
    ]  # fmt: skip


def test_a_draft_that_moves_gets_the_next_number_there(browser: Client) -> None:
    draft(variant="other")
    row = draft()
    assert browser.post(address(row), filled(*COLUMNS, row=row, variant="other")).status_code == 302
    assert find_template(row.pk).version == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"identity": '["nonsense"]'}, "identity"),
        ({"identity": "5"}, "identity"),
        ({"identity": '{"a": 1}'}, "identity"),
        ({"identity": '["order_id", 5]'}, "identity"),
        ({"identity": '["order_id", "line_id"]'}, "columns"),
        ({"granularity": "snapshot"}, "granularity"),
        ({"sub_domain": "agent"}, "sub_domain"),
        ({"domain": "nonsense"}, "domain"),
        ({"header_row": "2000"}, "header_row"),
        ({"header_rows": "9"}, "header_rows"),
        ({"data_row": "0"}, "data_row"),
        ({"variant": "v" * 65}, "variant"),
        ({"columns-1-field": "order_id"}, "columns-1-field"),
        ({"columns-1-field": "period_end"}, "columns-1-field"),
        ({"columns-2-kind": "text"}, "columns-2-kind"),
        ({"columns-2-format": "%Y"}, "columns-2-format"),
        ({"columns-2-aliases": "5"}, "columns-2-aliases"),
        ({"columns-2-aliases": '["SKU"]'}, "columns-2-aliases"),
        ({"columns-1-header": "a\0"}, "columns-1-header"),
        ({"columns-TOTAL_FORMS": "0"}, "columns"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(browser: Client, wrong: dict[str, Any], field: str) -> None:
    row = draft()
    assert list(errors(browser.post(ADD, filled(*COLUMNS, **wrong)))) == [field]
    assert (
        list(errors(browser.post(address(row), filled(*COLUMNS, row=row, **wrong))))[:1] == [field]
        or field == "columns"
    )
    assert HeaderTemplate.objects.count() == 1
    assert to_template(find_template(row.pk)) == template()


def test_the_version_is_shown_and_not_asked_for(browser: Client) -> None:
    row = draft()
    for page in (ADD, address(row)):
        assert not re.search(r'name="(version|state|fingerprint)"', browser.get(page).content.decode())


def test_of_what_is_published_only_the_notes_change(browser: Client) -> None:
    row = services.publish(draft())
    before = to_template(find_template(row.pk))
    response = browser.post(address(row), filled(*COLUMNS[:1], row=row, header_row="5", notes="why"))
    assert response.status_code == 302
    now = find_template(row.pk)
    assert (now.notes, now.state, to_template(now)) == ("why", "published", before)


def test_what_somebody_else_published_meanwhile_is_told(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    row = draft()
    replace_draft = services.replace_draft

    def late(*arguments: Any, **named: Any) -> HeaderTemplate:
        services.publish_draft(row.pk, sight=EVERYTHING)
        return replace_draft(*arguments, **named)

    monkeypatch.setattr(services, "replace_draft", late)
    page = browser.post(address(row), filled(*COLUMNS, row=row), follow=True).content.decode()
    assert "only a draft can be changed" in page


def test_a_draft_is_thrown_away_and_written_down(browser: Client) -> None:
    row = draft()
    assert browser.post(address(row, "delete"), {"post": "yes"}).status_code == 302
    assert not HeaderTemplate.objects.exists()
    entry = AuditEntry.objects.get(action=AuditAction.TEMPLATE_DELETED)
    assert (entry.actor_name, entry.detail) == ("ada", {"template": str(row), "template_id": row.pk})


def test_who_may_only_look_changes_nothing() -> None:
    row = draft()
    looker = User.objects.create_user("bob", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_headertemplate"))
    client = Client()
    client.force_login(looker)
    assert "Quantity" in client.get(address(row)).content.decode()
    assert client.post(address(row), filled(*COLUMNS[:1], row=row)).status_code == 403
    assert client.post(ADD, filled(*COLUMNS)).status_code == 403
    assert client.get(reverse("admin:datasync_headertemplate_import")).status_code == 403
    assert to_template(find_template(row.pk)) == template()
