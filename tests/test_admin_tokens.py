"""What the project stores and what Celery noted is looked at; of tokens, only the end can be brought about."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django_celery_results.models import GroupResult, TaskResult

from erp.health.heartbeat import record_heartbeat
from erp.models import ApiToken, WorkerHeartbeat
from tests.api import client_of, person

pytestmark = pytest.mark.django_db
TOKENS = "admin:erp_apitoken_changelist"


def rows() -> list[Any]:
    """One of each of what is history here."""
    record_heartbeat("worker@host")
    return [
        ApiToken.issue(user=person("ada"), label="collector")[0],
        WorkerHeartbeat.objects.get(),
        TaskResult.objects.create(task_id="a1", task_name="data_sync.take_turn"),
        GroupResult.objects.create(group_id="g1"),
    ]


def address(row: Any, page: str, *args: object) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=args)


def revoke(client: Client, *tokens: ApiToken) -> None:
    client.post(reverse(TOKENS), {"action": "revoke", "_selected_action": [token.pk for token in tokens]})


def test_history_is_shown_and_cannot_be_changed(admin_client: Client) -> None:
    for row in rows():
        assert admin_client.get(address(row, "changelist")).status_code == 200
        page = admin_client.get(address(row, "change", row.pk))
        assert page.status_code == 200
        assert 'name="_save"' not in page.content.decode()
        assert admin_client.get(address(row, "add")).status_code == 403
        assert admin_client.post(address(row, "change", row.pk), {}).status_code == 403
        assert admin_client.post(address(row, "delete", row.pk), {"post": "yes"}).status_code == 403
        listed = admin_client.get(address(row, "changelist")).content.decode()
        assert "delete_selected" not in listed
        type(row).objects.all().delete()
        assert 'class="empty-hint"' in admin_client.get(address(row, "changelist")).content.decode()


def test_a_page_shows_no_secret(admin_client: Client) -> None:
    token, secret = ApiToken.issue(user=person("ada"))
    for page in (address(token, "changelist"), address(token, "change", token.pk)):
        shown = admin_client.get(page).content.decode()
        assert secret not in shown
        assert token.digest not in shown
        assert token.password_digest not in shown


def test_revoking_ends_a_token_at_once(admin_client: Client) -> None:
    ada = person("ada")
    client, other = client_of(ada), client_of(ada)
    first = ApiToken.objects.order_by("pk")[0]
    revoke(admin_client, first)
    assert client.get("/api/auth/me").status_code == 401
    assert other.get("/api/auth/me").status_code == 200
    first.refresh_from_db()
    ended = first.revoked_at
    revoke(admin_client, first)
    first.refresh_from_db()
    assert first.revoked_at == ended


def test_who_may_only_look_cannot_revoke(client: Client) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_apitoken"))
    client.force_login(viewer)
    token = ApiToken.issue(user=person("ada"))[0]
    revoke(client, token)
    token.refresh_from_db()
    assert token.revoked_at is None


def test_a_new_password_ends_tokens_of_the_old_one() -> None:
    ada = person("ada")
    client, other = client_of(ada), client_of(person("bob"))
    assert client.get("/api/auth/me").status_code == 200
    ada.set_password("another long phrase")
    ada.save()
    assert client.get("/api/auth/me").status_code == 401
    assert client_of(ada).get("/api/auth/me").status_code == 200
    assert other.get("/api/auth/me").status_code == 200
