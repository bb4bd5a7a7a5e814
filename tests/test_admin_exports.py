"""Archives in the console: their states, and a link as long as it holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from datasync.choices import ExportState
from datasync.models import ExportArchive

pytestmark = pytest.mark.django_db
LIST = reverse("admin:datasync_exportarchive_changelist")


def archive(owner: User, state: ExportState) -> ExportArchive:
    expires = timezone.now() + timedelta(hours=1)
    return ExportArchive.objects.create(
        owner=owner, what="cleaned", file_ids=[1, 2], state=state, storage_name=f"{state}.zip", expires_at=expires
    )


def test_each_state_is_listed_and_ready_ones_have_a_link(admin_client: Client, admin_user: User) -> None:
    for state in ExportState:
        archive(admin_user, state)
    page = admin_client.get(LIST)
    assert page.content.decode().count("/download?token=") == 1
    for state in ExportState:
        assert f">{state.label}</span>" in page.content.decode()


def test_one_that_failed_says_why(admin_client: Client, admin_user: User) -> None:
    failed = archive(admin_user, ExportState.FAILED)
    ExportArchive.objects.update(error={"code": "EXPORT_FAILED", "message": "m", "params": {}, "recovery": "r"})
    page = admin_client.get(reverse("admin:datasync_exportarchive_change", args=(failed.pk,)))
    assert "EXPORT_FAILED" in page.content.decode()


def test_who_may_not_look_is_refused(client: Client, admin_user: User) -> None:
    archive(admin_user, ExportState.READY)
    viewer = User.objects.create_user("viewer", is_staff=True)
    client.force_login(viewer)
    assert client.get(LIST).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_exportarchive"))
    assert "/download?token=" in client.get(LIST).content.decode()
