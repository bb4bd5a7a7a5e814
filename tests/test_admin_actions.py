"""What operators do in the admin: scan, describe, sync, publish, export; each through the room's own service."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from datasync.choices import FileState, TaskState, TemplateOrigin, TemplateState
from datasync.mapping.services import ensure_platforms
from datasync.models import CatalogFile, HeaderTemplate, SyncProgressTask
from tests.admin_rows import make_template
from tests.quarantine_rows import make_file, make_row

pytestmark = pytest.mark.django_db
FILES = "admin:datasync_catalogfile_changelist"
TEMPLATES = "admin:datasync_headertemplate_changelist"


def act(client: Client, page: str, action: str, *rows: Any) -> Any:
    """Choose rows in a list and run an action on them."""
    return client.post(reverse(page), {"action": action, "_selected_action": [row.pk for row in rows]})


def agreed(client: Client, action: str, *rows: Any) -> Any:
    """Run an action on templates that shows first what it would do, and agree."""
    chosen = {"action": action, "_selected_action": [row.pk for row in rows], "confirmed": "yes"}
    return client.post(reverse(TEMPLATES), chosen)


def told(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_sync_queues_the_chosen_files_in_the_operators_name(admin_client: Client, admin_user: User) -> None:
    first, second, other = make_file("a.csv"), make_file("b.csv"), make_file("c.csv")
    response = act(admin_client, FILES, "sync", first, second)
    task = SyncProgressTask.objects.get()
    assert (task.owner, task.total_files, task.state) == (admin_user, 2, TaskState.QUEUED)
    assert task.task_id in told(response)
    other.refresh_from_db()
    assert other.state == FileState.PENDING
    again = act(admin_client, FILES, "sync", first, other)
    assert "1 file is being synced already" in told(again)


@pytest.mark.parametrize(
    ("action", "flag"), [("sync_strictly", "allow_quarantine"), ("sync_without_template", "only_with_template")]
)
def test_sync_flags(admin_client: Client, action: str, flag: str) -> None:
    act(admin_client, FILES, action, make_file())
    task = SyncProgressTask.objects.get()
    flags = {name: getattr(task, name) for name in ("allow_quarantine", "only_with_template")}
    assert flags == {"allow_quarantine": True, "only_with_template": True, flag: False}


def test_all_busy_is_told_not_raised(admin_client: Client) -> None:
    file = make_file()
    act(admin_client, FILES, "sync", file)
    response = act(admin_client, FILES, "sync", file)
    assert "already being synced" in told(response)
    assert SyncProgressTask.objects.count() == 1


def test_who_may_only_look_cannot_sync(client: Client) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_catalogfile"))
    client.force_login(user)
    act(client, FILES, "sync", make_file())
    assert client.post(reverse("admin:datasync_catalogfile_scan")).status_code == 403
    assert not SyncProgressTask.objects.exists()


def test_scan_button_finds_files(admin_client: Client, tmp_path: Path, settings: Any) -> None:
    settings.DATA_ROOTS, settings.GROWING_SECONDS = [tmp_path], 0
    (tmp_path / "shopee_orders_daily_20260101_000000.csv").write_text("Order ID,Quantity\nA,1\n")
    address = reverse("admin:datasync_catalogfile_scan")
    assert address in admin_client.get(reverse(FILES)).content.decode()
    assert admin_client.get(address).status_code == 405
    response = admin_client.post(address)
    assert "1 new" in told(response)
    assert CatalogFile.objects.count() == 1


def test_description_is_corrected_by_the_catalogue(admin_client: Client) -> None:
    file = make_file(state=FileState.NEEDS_DESCRIPTION, domain="")
    page = reverse("admin:datasync_catalogfile_change", args=(file.pk,))
    response = admin_client.post(
        page,
        {
            "platform": "shopee", "source_platform": "shopee", "shop": file.shop_id, "domain": "orders",
            "granularity": "daily", "sub_domain": "", "period_start": "2026-01-01", "period_end": "2026-01-31",
            "collected_at_0": "2026-02-01", "collected_at_1": "10:00:00", "account": "",
        },
    )  # fmt: skip
    assert response.status_code == 302
    file.refresh_from_db()
    assert (file.domain, str(file.period_end)) == ("orders", "2026-01-31")
    assert file.description_sources.get("domain")


def test_export_of_quarantined_rows(admin_client: Client) -> None:
    file, clean = make_file("a.csv"), make_file("b.csv")
    row = make_row(file, 5, "A", "=1", "")
    assert "no quarantined rows" in told(act(admin_client, FILES, "export_quarantine", clean))
    for response in (
        act(admin_client, FILES, "export_quarantine", file),
        act(admin_client, "admin:datasync_quarantinedrow_changelist", "export_xlsx", row),
    ):
        assert "attachment" in response["Content-Disposition"]
        sheet = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
        assert sheet is not None
        assert [cell.value for cell in sheet[2]][:2] == ["A", "'=1"]


def test_draft_is_published_and_the_old_version_archived(admin_client: Client) -> None:
    old = make_template()
    act(admin_client, TEMPLATES, "new_version", old)
    draft = HeaderTemplate.objects.get(state=TemplateState.DRAFT)
    assert (draft.version, draft.origin) == (old.version + 1, TemplateOrigin.OPERATOR)
    assert draft.columns.count() == old.columns.count()
    agreed(admin_client, "publish", draft)
    old.refresh_from_db()
    draft.refresh_from_db()
    assert (old.state, draft.state) == (TemplateState.ARCHIVED, TemplateState.PUBLISHED)
    assert "only a draft" in told(agreed(admin_client, "publish", draft))
    agreed(admin_client, "archive", draft)
    draft.refresh_from_db()
    assert draft.state == TemplateState.ARCHIVED


def columns_form(template: HeaderTemplate, **changes: str) -> dict[str, Any]:
    """What the page of a template sends: its reading, its columns."""
    form: dict[str, Any] = {
        "platform": "shopee", "source_platform": "shopee", "domain": "orders", "granularity": "daily",
        "sub_domain": "", "version": template.version, "variant": template.variant, "notes": "", "header_row": 3,
        "header_rows": 1, "data_row": "", "sheet": "", "number_format": "dot", "identity": '["order_id", "sku"]',
        "ordinal": "on", "columns-TOTAL_FORMS": template.columns.count(),
        "columns-INITIAL_FORMS": template.columns.count(),
    }  # fmt: skip
    for at, column in enumerate(template.columns.all()):
        told = {"id": column.pk, "template": template.pk, "position": column.position, "header": column.header}
        told |= {"field": column.field, "kind": column.kind, "format": "", "aliases": "[]"}
        form |= {f"columns-{at}-{name}": value for name, value in told.items()}
    return form | changes


def test_draft_can_be_edited_and_its_fingerprint_follows(admin_client: Client) -> None:
    draft = make_template(state=TemplateState.DRAFT)
    page = reverse("admin:datasync_headertemplate_change", args=(draft.pk,))
    response = admin_client.post(page, columns_form(draft, **{"columns-1-header": "Seller SKU"}))
    assert response.status_code == 302, response.context["errors"]
    changed = HeaderTemplate.objects.get(pk=draft.pk)
    assert changed.header_row == 3
    assert changed.columns.get(position=1).header == "Seller SKU"
    assert changed.fingerprint not in {"", "f"}


def test_published_template_never_changes(admin_client: Client) -> None:
    template = make_template()
    page = reverse("admin:datasync_headertemplate_change", args=(template.pk,))
    form = columns_form(template, **{"columns-1-header": "Seller SKU", "notes": "seen in May"})
    assert admin_client.post(page, form).status_code == 302
    template.refresh_from_db()
    assert (template.header_row, template.notes) == (0, "seen in May")
    assert template.columns.get(position=1).header == "SKU"
    assert admin_client.post(reverse("admin:datasync_headertemplate_delete", args=(template.pk,))).status_code == 403


def test_suggestion_is_made_and_published_from_the_list(admin_client: Client, tmp_path: Path, settings: Any) -> None:
    settings.DATA_ROOTS, settings.GROWING_SECONDS = [tmp_path], 0
    ensure_platforms()
    (tmp_path / "shopee_orders_daily_20260101_000000.csv").write_text(
        "Name,Created at,Lineitem sku,Lineitem quantity,Total\n"
        + "".join(f"#{number},2026-01-01 10:00:00,SKU-{number},2,10.50\n" for number in range(1001, 1021))
    )
    admin_client.post(reverse("admin:datasync_catalogfile_scan"))
    make_file("gone.csv")
    files = list(CatalogFile.objects.all())
    response = act(admin_client, FILES, "suggest_mapping", *files)
    assert "shopee_orders_daily_20260101_000000.csv</a>: look at it on its page" in told(response)
    assert "gone.csv: " in told(response)
    file = CatalogFile.objects.exclude(suggestion={}).get()
    assert "Published a template from" in told(act(admin_client, FILES, "publish_suggestion", file))
    assert HeaderTemplate.objects.get(origin=TemplateOrigin.SUGGESTED).state == TemplateState.PUBLISHED
