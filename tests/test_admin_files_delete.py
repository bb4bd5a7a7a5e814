"""Deleting in the console: first what hangs on the files, then the decision; deleted files are out of the way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from datasync.choices import FileState
from datasync.models import AuditEntry, CatalogFile, OrderLine
from tests.quarantine_rows import make_file
from tests.stored_files import file_with_rows

pytestmark = pytest.mark.django_db
LIST = reverse("admin:datasync_catalogfile_changelist")


def act(client: Client, *files: CatalogFile, query: str = "", **posted: str) -> Any:
    return client.post(f"{LIST}{query}", {"_selected_action": [file.pk for file in files], **posted})


def told(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_it_is_asked_first(admin_client: Client) -> None:
    file = file_with_rows("<script>a.csv", 3)
    page = act(admin_client, file, action="delete_chosen")
    text = page.content.decode()
    assert page.status_code == 200
    assert "<td>3</td>" in text
    assert "<script>a.csv" not in text
    assert 'name="rows" value="delete"' in text
    assert (OrderLine.objects.count(), listed(admin_client)) == (3, [file.pk])


@pytest.mark.parametrize(("rows", "left"), [("keep", 3), ("delete", 0)])
def test_delete(admin_client: Client, admin_user: User, rows: str, left: int) -> None:
    file = file_with_rows("a.csv", 3)
    assert "1 file deleted" in told(act(admin_client, file, action="delete_chosen", rows=rows))
    assert OrderLine.objects.count() == left
    assert AuditEntry.objects.get().actor == admin_user
    assert listed(admin_client) == []


def test_busy_files_are_left_alone(admin_client: Client) -> None:
    busy, free = make_file("a.csv", state=FileState.QUEUED), make_file("b.csv")
    assert "being synced" in told(act(admin_client, busy, action="delete_chosen"))
    assert "left alone" in told(act(admin_client, busy, free, action="delete_chosen", rows="keep"))
    assert listed(admin_client) == [busy.pk]


def test_deleted_files_are_shown_when_asked_for_and_only_looked_at(admin_client: Client) -> None:
    gone, there = make_file("gone.csv", state=FileState.DELETED), make_file("there.csv")
    assert listed(admin_client) == [there.pk]
    assert listed(admin_client, "?state__exact=deleted") == [gone.pk]
    page = reverse("admin:datasync_catalogfile_change", args=(gone.pk,))
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {"account": "x"}).status_code == 403


def test_restore(admin_client: Client, settings: Any, tmp_path: Any) -> None:
    settings.DATA_ROOTS = [tmp_path]
    (tmp_path / "a.csv").write_text("x")
    from datasync.disk import fingerprint  # noqa: PLC0415

    digest = fingerprint(tmp_path / "a.csv").content_sha256
    kept = make_file("a.csv", root=str(tmp_path), state=FileState.DELETED, content_sha256=digest)
    lost = make_file("b.csv", root=str(tmp_path), state=FileState.DELETED)
    response = act(admin_client, kept, lost, query="?state__exact=deleted", action="restore_chosen")
    assert "Restored a.csv" in told(response)
    assert "b.csv: The file is no longer" in told(response)
    assert listed(admin_client) == [kept.pk]


def test_who_may_only_look_cannot_delete(client: Client) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_catalogfile"))
    client.force_login(user)
    act(client, make_file(), action="delete_chosen", rows="delete")
    assert CatalogFile.objects.get().state == FileState.PENDING


def test_who_may_change_but_not_delete_is_not_offered_it(client: Client) -> None:
    user = User.objects.create_user("changer", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_catalogfile", "change_catalogfile"]))
    client.force_login(user)
    act(client, make_file(), action="delete_chosen", rows="delete")
    assert CatalogFile.objects.get().state == FileState.PENDING
    user.user_permissions.add(Permission.objects.get(codename="delete_catalogfile"))
    act(client, CatalogFile.objects.get(), action="delete_chosen", rows="delete")
    assert CatalogFile.objects.get().state == FileState.DELETED


def test_a_thousand_files_are_one_field(admin_client: Client) -> None:
    one = make_file("0.csv")
    values = {field.attname: getattr(one, field.attname) for field in one._meta.concrete_fields if field.name != "id"}
    values.pop("template_fit")
    CatalogFile.objects.bulk_create(
        CatalogFile(**values | {"storage_name": f"{number}.csv"}) for number in range(1, 1000)
    )
    question = admin_client.post(LIST, {"action": "delete_chosen", "select_across": "1", "_selected_action": [one.pk]})
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', question.content.decode()))
    fields.pop("csrfmiddlewaretoken", None)
    assert len(fields["file_ids"].split(",")) == 1000
    assert "1000 files deleted" in told(admin_client.post(LIST, {**fields, "rows": "keep"}))
    assert listed(admin_client) == []


def test_the_rows_of_a_deleted_file_can_go_later(admin_client: Client) -> None:
    file = file_with_rows("a.csv", 3)
    act(admin_client, file, action="delete_chosen", rows="keep")
    query = "?state__exact=deleted"
    page = act(admin_client, file, query=query, action="delete_chosen").content.decode()
    assert 'value="delete"' in page
    assert 'value="keep"' not in page
    assert "3 rows removed" in told(act(admin_client, file, query=query, action="delete_chosen", rows="delete"))
    assert not OrderLine.objects.exists()


def listed(client: Client, query: str = "") -> list[int]:
    return [file.pk for file in client.get(f"{LIST}{query}").context["cl"].result_list]
