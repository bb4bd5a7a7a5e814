"""What operators do about quarantined rows in the admin; each through the room's own service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from datasync.access import EVERYTHING
from datasync.choices import QuarantineState
from datasync.models import OrderLine, QuarantinedRow
from datasync.quarantine import services
from datasync.quarantine.selectors import Filters
from tests.quarantine_files import AMOUNT, bad, inbox, line, row_of, synced
from tests.quarantine_rows import make_file, make_row
from tests.runs_support import bell

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db
LIST = "admin:datasync_quarantinedrow_changelist"


def page(row: QuarantinedRow, name: str = "change") -> str:
    return reverse(f"admin:datasync_quarantinedrow_{name}", args=(row.pk,))


def told(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def act(client: Client, action: str, *rows: QuarantinedRow, **fields: str) -> Any:
    return client.post(reverse(LIST), {"action": action, "_selected_action": [row.pk for row in rows], **fields})


@pytest.fixture
def row(db: None) -> QuarantinedRow:
    return make_row(make_file(), 2, "A1", "<b>x", "two\r\nlines")


@pytest.mark.django_db(transaction=True)
def test_correct_rehearse_and_release(admin_client: Client, bell: Any, inbox: Path) -> None:
    file = synced(inbox, line("A1"), bad("A2"), bad("A3"))
    first, second = row_of(file, 3), row_of(file, 4)
    assert "Still wrong" in told(admin_client.post(page(first, "correct"), {"cell8": "12,x"}))
    response = admin_client.post(page(first, "correct"), {"cell8": "12.50", "cell0": "A2"})
    assert (response.status_code, response["Location"]) == (302, page(first))
    assert "can be released" in told(response)
    said = told(act(admin_client, "rehearse_release", first, second))
    assert "rehearsal" in said
    assert f"Row 4 stays: {AMOUNT}: INVALID_NUMBER (abc)" in said
    assert OrderLine.objects.count() == 1
    assert "1 row released: inserted 1" in told(act(admin_client, "release", first, second))
    assert OrderLine.objects.count() == 2
    admin_client.post(page(second, "correct"), {"cell8": "1"})
    assert "1 row released" in told(admin_client.post(page(second, "release")))
    assert "decided already" in told(admin_client.post(page(second, "release")))
    shown = admin_client.get(page(second)).content.decode()
    assert "rows released" in shown
    second.refresh_from_db()
    assert f'/admin/datasync/orderline/{second.record_key}/change/">' in shown
    assert 'name="cell8"' not in shown


def test_what_was_not_changed_is_no_correction(admin_client: Client, row: QuarantinedRow) -> None:
    shown = admin_client.get(page(row)).content.decode()
    assert "&lt;b&gt;x" in shown
    assert "<b>x" not in shown
    same = {"cell0": "A1", "cell1": "<b>x", "cell2": "two\nlines", "cell9": "?"}
    assert "No cell was changed" in told(admin_client.post(page(row, "correct"), same))
    row.refresh_from_db()
    assert (row.corrected, row.state) == (None, QuarantineState.OPEN)


def test_discard_asks_for_the_reason(admin_client: Client, row: QuarantinedRow, admin_user: User) -> None:
    asked = act(admin_client, "discard", row)
    assert (asked.status_code, f'value="{row.pk}"' in asked.content.decode()) == (200, True)
    assert "Say in at most" in told(act(admin_client, "discard", row, note=" "))
    assert "1 row discarded" in told(act(admin_client, "discard", row, note="test order"))
    row.refresh_from_db()
    assert (row.state, row.note, row.decided_by) == (QuarantineState.DISCARDED, "test order", admin_user)
    assert "test order" in admin_client.get(page(row)).content.decode()


def test_discard_on_the_page_of_a_row(admin_client: Client, row: QuarantinedRow) -> None:
    assert "1 row discarded" in told(admin_client.post(page(row, "discard"), {"note": "broken"}))
    assert admin_client.get(page(row, "discard")).status_code == 405


def test_a_busy_file_is_told(admin_client: Client, row: QuarantinedRow) -> None:
    row.file.state = "processing"
    row.file.save()
    for response in (
        admin_client.post(page(row, "correct"), {"cell1": "1"}),
        admin_client.post(page(row, "release")),
        act(admin_client, "discard", row, note="x"),
    ):
        assert "already being synced" in told(response)


def test_rows_that_are_gone(admin_client: Client, row: QuarantinedRow) -> None:
    row_page = page(row, "release")
    QuarantinedRow.objects.all().delete()
    assert admin_client.post(row_page).status_code == 404


def test_too_many_rows_at_once(admin_client: Client, row: QuarantinedRow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasync.admin.quarantine.MOST_ROWS", 0)
    for action in ("release", "discard", "rehearse_release"):
        assert "at most" in told(act(admin_client, action, row, note="x"))


def test_who_may_only_look_decides_nothing(client: Client, row: QuarantinedRow) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_quarantinedrow"))
    client.force_login(user)
    for name in ("correct", "release", "discard"):
        assert client.post(page(row, name), {"note": "x", "cell1": "1"}).status_code == 403
    act(client, "discard", row, note="x")
    shown = client.get(page(row))
    assert (shown.status_code, b'name="cell1"' in shown.content) == (200, False)
    row.refresh_from_db()
    assert row.state == QuarantineState.OPEN


def test_rows_under_different_headers_are_no_csv(admin_client: Client, row: QuarantinedRow) -> None:
    other = make_row(make_file("b.csv"), 2, "P", "x", headers=["ID", "GMV"])
    assert "choose xlsx" in told(act(admin_client, "export_csv", row, other))


def test_the_audit_has_its_page(admin_client: Client, row: QuarantinedRow) -> None:
    services.discard(filters=Filters(ids=[row.pk]), note="<i>broken", actor=None, sight=EVERYTHING)
    address = reverse("admin:datasync_auditentry_changelist")
    assert "&lt;i&gt;broken" in admin_client.get(address).content.decode()


def test_what_a_discard_would_do(admin_client: Client, row: QuarantinedRow) -> None:
    asked = act(admin_client, "discard", row, note="a test order", rehearse="1")
    assert "rehearsal" in told(asked)
    assert 'value="a test order"' in asked.content.decode()
    assert "rehearsal" in told(admin_client.post(page(row, "discard"), {"note": "x", "rehearse": "1"}))
    assert "500 characters" in told(act(admin_client, "discard", row, note="x" * 501))
    row.refresh_from_db()
    assert row.state == QuarantineState.OPEN
    shown = admin_client.get(page(row)).content.decode()
    assert "stays out as long as it stands unchanged" in shown
    assert 'name="confirmed"' not in shown


@pytest.mark.django_db(transaction=True)
def test_what_a_release_of_one_row_would_do(admin_client: Client, bell: Any, inbox: Path) -> None:
    row = row_of(synced(inbox, line("A1"), bad("A2")), 3)
    admin_client.post(page(row, "correct"), {"cell8": "12.50"})
    said = told(admin_client.post(page(row, "release"), {"rehearse": "1"}))
    assert "1 row released" in said
    assert "rehearsal" in said
    assert OrderLine.objects.count() == 1


def test_one_correction_for_all_chosen_rows(admin_client: Client, row: QuarantinedRow) -> None:
    other = make_row(row.file, 3, "A2", "y", "")
    asked = act(admin_client, "correct_column", row, other).content.decode()
    assert '<option value="Amount">' in asked
    fields = {"header": "Amount", "value": "<b>x", "only": "1", "code": "INVALID_NUMBER", "replacement": "7"}
    rehearsed = act(admin_client, "correct_column", row, other, **fields, rehearse="1")
    assert "1 row corrected" in told(rehearsed)
    assert 'value="&lt;b&gt;x"' in rehearsed.content.decode()
    assert "no column" in told(act(admin_client, "correct_column", row, header="Price", replacement="7"))
    said = told(act(admin_client, "correct_column", row, other, **fields))
    assert "1 row corrected" in said
    assert "1 row was left" in said
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.corrected, other.corrected) == ({"1": "7"}, None)


def test_a_corrected_sheet_is_imported(admin_client: Client, row: QuarantinedRow) -> None:
    address = reverse("admin:datasync_quarantinedrow_import")
    assert address in admin_client.get(reverse(LIST)).content.decode()
    exported = b"".join(act(admin_client, "export_csv", row))
    sheet = exported.replace(b"<b>x", b"<i>7")

    def send(**fields: str) -> Any:
        return admin_client.post(address, {"sheet": SimpleUploadedFile("rows.csv", sheet), **fields})

    shown = send(rehearse="1").content.decode()
    assert "What would happen" in shown
    row.refresh_from_db()
    assert row.corrected is None
    assert "Amount" in send().content.decode()
    row.refresh_from_db()
    assert row.corrected == {"1": "<i>7"}
    assert "Choose a sheet" in told(admin_client.post(address))
    other = admin_client.post(address, {"sheet": SimpleUploadedFile("rows.csv", b"a,b\n1,2\n")})
    assert "quarantine: id" in told(other)


def test_a_doubt_of_the_reader_is_confirmed(admin_client: Client, row: QuarantinedRow) -> None:
    row.reasons = [{"header": "", "code": "WRONG_COLUMN_COUNT", "value": "4"}]
    row.save()
    assert 'name="confirmed"' in admin_client.get(page(row)).content.decode()
    assert "1 cell corrected" in told(admin_client.post(page(row, "correct"), {"confirmed": "1"}))


def test_rows_of_deleted_files_are_hidden(admin_client: Client, row: QuarantinedRow) -> None:
    row.file.state = "deleted"
    row.file.save()
    assert admin_client.get(page(row)).status_code == 302
    assert admin_client.post(page(row, "release")).status_code == 404
    assert page(row) not in admin_client.get(reverse(LIST)).content.decode()


def test_a_download_is_limited(admin_client: Client, row: QuarantinedRow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasync.quarantine.export.MOST_DOWNLOADED", 0)
    assert "manage.py quarantine export" in told(act(admin_client, "export_xlsx", row))


def test_who_may_only_look_imports_nothing(client: Client, row: QuarantinedRow) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_quarantinedrow"))
    client.force_login(user)
    address = reverse("admin:datasync_quarantinedrow_import")
    assert client.get(address).status_code == 403
    assert address not in client.get(reverse(LIST)).content.decode()
