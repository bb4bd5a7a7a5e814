"""Who fails too often to sign in has to wait, at either door, with the right password too; the admin lifts it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from tests.api import data_of, error_of, person, stranger
from tests.rates import LOGIN

__all__ = ["stranger"]
pytestmark = pytest.mark.django_db
ADMIN_LOGIN, ELSEWHERE = "/admin/login/", "198.51.100.1"
LIST = reverse("admin:axes_accessattempt_changelist")
RIGHT, WRONG = "correct horse", "wrong"


@pytest.fixture(autouse=True)
def anyone() -> User:
    return person("li.na", is_staff=True)


def sign_in(password: str = WRONG, username: str = "li.na", **headers: Any) -> Any:
    return APIClient().post(LOGIN, {"username": username, "password": password}, **headers)


def enter(password: str = WRONG, username: str = "li.na", **headers: Any) -> Any:
    return Client().post(ADMIN_LOGIN, {"username": username, "password": password}, **headers)


def fail(times: int, **options: str) -> list[int]:
    return [sign_in(**options).status_code for _ in range(times)]


def test_the_fifth_failure_locks_and_the_right_password_does_not_help() -> None:
    assert fail(5) == [401] * 4 + [429]
    for password in (WRONG, RIGHT):
        response = sign_in(password)
        error = error_of(response, 429)
        assert (error["code"], error["type"]) == ("SIGN_IN_LOCKED", "throttled")
        assert 14 * 60 < int(response["Retry-After"]) <= 15 * 60


def test_the_admin_has_the_same_lock() -> None:
    assert [enter().status_code for _ in range(5)] == [200] * 4 + [429]
    response = enter(RIGHT)
    assert response.status_code == 429
    assert response["Content-Type"].startswith("text/html")
    assert 14 * 60 < int(response["Retry-After"]) <= 15 * 60
    assert "nobody may sign in with this name" in response.content.decode()
    assert "_auth_user_id" not in response.client.session
    assert Client().get(ADMIN_LOGIN).status_code == 200


def test_both_doors_count_together() -> None:
    assert fail(2) == [401] * 2
    assert [enter().status_code for _ in range(3)] == [200] * 2 + [429]
    assert error_of(sign_in(RIGHT), 429)["code"] == "SIGN_IN_LOCKED"


def test_another_program_is_no_way_around() -> None:
    statuses = [sign_in(HTTP_USER_AGENT=f"program {number}").status_code for number in range(6)]
    assert statuses == [401] * 4 + [429] * 2
    assert AccessAttempt.objects.count() == 5


def test_other_names_and_other_addresses_are_not_locked(stranger: User) -> None:
    fail(5)
    data_of(sign_in(RIGHT, "stranger"))
    data_of(sign_in(RIGHT, REMOTE_ADDR=ELSEWHERE))
    assert sign_in(RIGHT, HTTP_X_FORWARDED_FOR=ELSEWHERE).status_code == 429


def test_addresses_of_one_network_count_together() -> None:
    statuses = [sign_in(REMOTE_ADDR=f"2001:db8:1:2::{number}").status_code for number in range(1, 7)]
    assert statuses == [401] * 4 + [429] * 2


def test_names_that_nobody_has_are_locked_alike() -> None:
    assert fail(6, username="nobody") == [401] * 4 + [429] * 2


def test_signing_in_begins_anew() -> None:
    for door in (sign_in, enter):
        fail(4)
        assert door(RIGHT).status_code in {200, 302}
        assert not AccessAttempt.objects.exists()


def test_it_ends_by_itself_and_knocking_does_not_prolong_it() -> None:
    fail(5)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    response = sign_in()
    assert 0 < int(response["Retry-After"]) <= 61
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    data_of(sign_in(RIGHT))


def test_failures_add_up_where_no_pause_is_as_long_as_the_lock() -> None:
    for _ in range(4):
        assert sign_in().status_code == 401
        AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert sign_in().status_code == 429


def test_a_lock_that_was_lifted_meanwhile_still_says_when_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fail(5)
    monkeypatch.setattr("erp.lockout.services._seconds_locked", lambda *_args: 0.0)
    assert sign_in()["Retry-After"] == "1"


def test_how_often_and_how_long_are_settings(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT, settings.AXES_COOLOFF_TIME = 2, timedelta(minutes=1)
    assert fail(2) == [401, 429]
    assert 50 < int(sign_in(RIGHT)["Retry-After"]) <= 60


@pytest.mark.parametrize(
    "username", ["<script>", "li.na\r\nroot", "李娜" * 50, "' OR 1=1 --", "%s%(x)s", "\N{RIGHT-TO-LEFT OVERRIDE}"]
)
def test_hostile_names_lock_and_are_shown_harmlessly(admin_client: Client, username: str) -> None:
    assert fail(6, username=username)[-1] == 429
    assert enter(RIGHT, username=username).status_code == 429
    page = admin_client.get(LIST).content.decode()
    assert "<script>" not in page.replace("<script src", "").split("result_list")[1]


def test_the_admin_lifts_a_lock(admin_client: Client) -> None:
    for number in range(5):
        sign_in(HTTP_USER_AGENT=f"program {number}")
    chosen = AccessAttempt.objects.first()
    assert chosen
    assert "li.na" in admin_client.get(LIST).content.decode()
    page = reverse("admin:axes_accessattempt_change", args=(chosen.pk,))
    assert admin_client.get(page).status_code == 200
    assert sign_in(RIGHT).status_code == 429
    assert admin_client.post(LIST, {"action": "lift", "_selected_action": [chosen.pk]}).status_code == 302
    data_of(sign_in(RIGHT))
    assert LogEntry.objects.count() == 5
    assert "Nobody failed" in admin_client.get(LIST).content.decode()


def test_who_may_only_look_cannot_lift(client: Client) -> None:
    viewer = person("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_accessattempt"))
    client.force_login(viewer)
    fail(5)
    chosen = AccessAttempt.objects.get()
    assert client.get(LIST).status_code == 200
    client.post(LIST, {"action": "lift", "_selected_action": [chosen.pk]})
    assert (
        client.post(reverse("admin:axes_accessattempt_delete", args=(chosen.pk,)), {"post": "yes"}).status_code == 403
    )
    assert AccessAttempt.objects.exists()


def test_the_log_names_who_is_locked_out(caplog: pytest.LogCaptureFixture) -> None:
    fail(5, username="li.na\nroot")
    assert [record.getMessage() for record in caplog.records if record.name == "erp.lockout.receivers"] == [
        r"Signing in as 'li.na\nroot' from 127.0.0.1 is refused after several failures."
    ]


def test_nothing_of_a_password_is_kept(admin_client: Client) -> None:
    enter("my secret phrase")
    sign_in("my secret phrase")
    kept = str(list(AccessAttempt.objects.values()))
    assert "li.na" in kept
    assert "my secret phrase" not in kept
    assert not AccessLog.objects.exists()


def test_the_checks_find_nothing_to_say() -> None:
    found = [message.id for message in run_checks(include_deployment_checks=True)]
    assert [name for name in found if name and name.startswith("axes")] == []
