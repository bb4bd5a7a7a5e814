"""Every door by which one thing is reached: out of sight it is not found, and whoever is not limited finds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests.access_support import (
    API,
    Belongings,
    foreign,
    limit,
    limited,
    mine,
    other,
    own,
    staff_with_all_rights,
)
from tests.api import client_of, data_of, error_of
from tests.templates_support import draft

__all__ = ["foreign", "limited", "mine", "other", "own"]


class Door(NamedTuple):
    """A call, with names of ids in braces, and the error that tells that there is no such thing."""

    method: str
    path: str
    code: str
    body: dict[str, Any] | None = None


DOORS = (
    Door("get", "files/{file}", "FILE_NOT_FOUND"),
    Door("get", "files/{file}/profile", "FILE_NOT_FOUND"),
    Door("get", "files/{file}/delete-impact", "FILE_NOT_FOUND"),
    Door("post", "files/batch-delete-impact", "DATA_NOT_FOUND", {"file_ids": ["file"]}),
    Door("post", "files/{file}/dry-run", "FILE_NOT_FOUND", {}),
    Door("patch", "files/{file}", "FILE_NOT_FOUND", {"account": "theirs"}),
    Door("delete", "files/{file}", "FILE_NOT_FOUND"),
    Door("delete", "files/batch", "DATA_NOT_FOUND", {"file_ids": ["file"]}),
    Door("post", "files/{gone}/restore", "FILE_NOT_FOUND"),
    Door("post", "preview", "FILE_NOT_FOUND", {"file_id": "file"}),
    Door("post", "templates/suggest", "FILE_NOT_FOUND", {"file_id": "file"}),
    Door("post", "templates/compare", "FILE_NOT_FOUND", {"template_id": "template", "file_id": "file"}),
    Door("post", "single", "FILE_NOT_FOUND", {"file_id": "file"}),
    Door("post", "batch-by-ids", "DATA_NOT_FOUND", {"file_ids": ["file"]}),
    Door("post", "exports", "DATA_NOT_FOUND", {"file_ids": ["file"], "what": "cleaned"}),
    Door("get", "exports/{export}", "EXPORT_NOT_FOUND"),
    Door("get", "facts/orders/{fact}", "FACT_NOT_FOUND"),
    Door("get", "quarantine/{row}", "ROW_NOT_FOUND"),
    Door("patch", "quarantine/{row}", "ROW_NOT_FOUND", {"values": {"Amount": "12"}}),
    Door("post", "quarantine/release", "ROW_NOT_FOUND", {"ids": ["row"], "dry_run": True}),
    Door("post", "quarantine/discard", "ROW_NOT_FOUND", {"ids": ["row"], "note": "x", "dry_run": True}),
    Door("post", "quarantine/correct", "ROW_NOT_FOUND", {"ids": ["row"], "header": "Amount", "replacement": "1"}),
    Door("get", "quarantine?file_id={file}", "FILE_NOT_FOUND"),
    Door("get", "quarantine/stats?file_id={file}", "FILE_NOT_FOUND"),
    Door("get", "quarantine/files?file_id={file}", "FILE_NOT_FOUND"),
    Door("get", "quarantine/export?file_id={file}", "FILE_NOT_FOUND"),
    Door("get", "quarantine?task_id={task}", "TASK_NOT_FOUND"),
    Door("get", "loss-analysis?file_id={file}", "FILE_NOT_FOUND"),
    Door("get", "loss-alert?file_id={file}", "FILE_NOT_FOUND"),
    Door("get", "loss-analysis?task_id={task}", "TASK_NOT_FOUND"),
    Door("get", "progress/{task}", "TASK_NOT_FOUND"),
    Door("get", "progress/{task}/stream", "TASK_NOT_FOUND"),
    Door("get", "task-status/{task}", "TASK_NOT_FOUND"),
    Door("delete", "cancel-task/{task}", "TASK_NOT_FOUND"),
    Door("post", "retry-task/{task}", "TASK_NOT_FOUND", {}),
)


def knock(client: APIClient, door: Door, at: Belongings) -> Any:
    """Ask for the thing of these belongings."""
    ids: dict[str, Any] = {
        "file": at.file.pk, "gone": at.gone.pk, "row": at.row.pk, "fact": at.fact.pk, "task": at.task.task_id,
        "export": at.export.pk, "template": draft().pk,
    }  # fmt: skip

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        return ids.get(value, value) if isinstance(value, str) else value

    body = None if door.body is None else {name: filled(value) for name, value in door.body.items()}
    return getattr(client, door.method)(f"{API}/{door.path.format(**ids)}", body, format="json")


def found(response: Any) -> None:
    """There is such a thing, whatever is said of it."""
    response.close()
    assert response.status_code < 500
    assert response.status_code != 404


def named(doors: Iterable[Door]) -> list[Any]:
    """A dry run begins a transaction of its own."""
    return [
        pytest.param(
            door,
            id=f"{door.method} {door.path}",
            marks=pytest.mark.django_db(transaction=door.path.endswith("dry-run")),
        )
        for door in doors
    ]


@pytest.mark.parametrize("door", named(DOORS))
def test_what_is_out_of_sight_is_not_found(door: Door, foreign: Belongings) -> None:
    staff = limit(staff_with_all_rights("limited-staff"))
    assert error_of(knock(client_of(staff), door, foreign), 404)["code"] == door.code


@pytest.mark.parametrize("door", named(door for door in DOORS if not door.path.endswith("stream")))
def test_whoever_is_not_limited_finds_it(door: Door, foreign: Belongings) -> None:
    found(knock(client_of(staff_with_all_rights("staff")), door, foreign))


@pytest.mark.parametrize("door", named(door for door in DOORS if not door.path.endswith("stream")))
def test_what_is_in_sight_is_found(door: Door, own: Belongings, limited: User) -> None:
    limited.is_staff = True
    limited.save()
    limited.user_permissions.set(staff_with_all_rights("rights").user_permissions.all())
    found(knock(client_of(limited), door, own))


@pytest.mark.django_db
def test_a_row_limits_nobody_but_its_person(foreign: Belongings) -> None:
    superuser = limit(User.objects.create_superuser("root"), foreign.shop)
    limit(superuser)
    assert data_of(client_of(superuser).get(f"{API}/files/{foreign.file.pk}"))["id"] == foreign.file.pk
