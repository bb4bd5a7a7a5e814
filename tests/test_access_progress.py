"""How far a task is, for a limited person: without scores of other shops, and no longer than it is theirs to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from datasync.api.views import progress as views
from datasync.choices import TaskState
from datasync.models import Shop, ShopLimit, SyncProgressTask
from erp.models import ApiToken
from tests.access_support import API, Belongings, client, limit, limited, mine, other, own
from tests.api import client_of, data_of, person
from tests.test_api_stream import events_of

__all__ = ["client", "limited", "mine", "other", "own"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def assessed(own: Belongings, other: Shop) -> SyncProgressTask:
    """A task that is over; rows of its file were of both shops, and of none."""
    task = own.task
    groups = [
        {"platform": "shopee", "shop_id": shop, "domain": "orders", "score": score, "missing_fields": missing}
        for shop, score, missing in ((own.shop.pk, 91.0, []), (other.pk, 12.0, ["sku"]), (None, 30.0, []))
    ]
    task.quality = {"score": 12.0, "groups": groups}
    task.save(update_fields=["quality"])
    return task


def checks(client: APIClient, task: SyncProgressTask) -> list[dict[str, Any]]:
    """What the two doors tell of the quality check."""
    address = f"{API}/progress/{task.task_id}"
    stream: Any = client.get(f"{address}/stream")
    return [one["quality_check"] for one in (data_of(client.get(address)), events_of(stream.getvalue())[-1][1])]


def test_scores_of_other_shops_are_not_told(
    client: APIClient, assessed: SyncProgressTask, mine: Shop, limited: User
) -> None:
    for told in checks(client, assessed):
        assert told["score"] == 91.0
        assert [group["shop_id"] for group in told["groups"]] == [mine.pk]
    for told in checks(client_of(person("staff", is_staff=True)), assessed):
        assert (told["score"], len(told["groups"])) == (12.0, 3)


def test_whoever_is_limited_is_answered_anew(client: APIClient, assessed: SyncProgressTask, limited: User) -> None:
    address = f"{API}/progress/{assessed.task_id}"
    ShopLimit.objects.all().delete()
    tag = client.get(address)["ETag"]
    assert client.get(address, HTTP_IF_NONE_MATCH=tag).status_code == 304
    limit(limited, *Shop.objects.filter(shop_id="mine"))
    assert client.get(address, HTTP_IF_NONE_MATCH=tag).status_code == 200


@pytest.fixture
def running(own: Belongings, monkeypatch: pytest.MonkeyPatch) -> SyncProgressTask:
    """A task that goes on, whose streams ask at every look who is there."""
    monkeypatch.setattr(views, "RIGHTS_HOLD_SECONDS", 0.0)
    SyncProgressTask.objects.update(state=TaskState.PROCESSING, started_at=timezone.now())
    return own.task


def opened(client: Any, task: SyncProgressTask) -> Any:
    """A stream that has told how far the task is."""
    stream = iter(client.get(f"{API}/progress/{task.task_id}/stream").streaming_content)
    assert next(stream).startswith(b"retry: ")
    while b"event: progress" not in next(stream):
        pass
    return stream


def kept_away(user: User) -> None:
    ShopLimit.objects.get(user=user).shops.clear()


def shut_out(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def signed_out(user: User) -> None:
    ApiToken.objects.filter(user=user).update(revoked_at=timezone.now())


@pytest.mark.parametrize("end", [kept_away, shut_out, signed_out])
def test_a_stream_ends_with_the_right_to_it(
    client: APIClient, limited: User, running: SyncProgressTask, end: Callable[[User], None]
) -> None:
    stream = opened(client, running)
    end(limited)
    assert list(stream) == []


def test_a_stream_of_a_browser_ends_with_its_session(limited: User, running: SyncProgressTask) -> None:
    browser = Client()
    browser.force_login(limited)
    stream = opened(browser, running)
    SyncProgressTask.objects.update(state=TaskState.COMPLETED, finished_at=timezone.now())
    assert b"event: end" in list(stream)[-1], "whoever is still there is told all of it"
    SyncProgressTask.objects.update(state=TaskState.PROCESSING, finished_at=None)
    stream = opened(browser, running)
    limited.set_password("another one")
    limited.save()
    assert list(stream) == []
