"""Who may what at every address of the API: a table that a new route has to be put into.

The owner's shop is the teammate's as well; the tasks and archives are the owner's alone; the stranger has another shop.
Staff have every right but are no superusers, and neither are the staff who are limited to the stranger's shop. What is
out of sight is 404, as what does not exist; what concerns all shops is 403 for the limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from tests.api import client_of
from tests.connections import connection_kept, one_transaction, undone
from tests.routes import Route, routes
from tests.templates_support import BODY
from tests.world import OWN_MARK, SHOP_MARK, World, company

__all__ = ["one_transaction"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_transaction")]
PEOPLE = ("owner", "teammate", "stranger", "anonymous", "staff", "limited")
TABLE = """
                                                          # owner teammate stranger anonymous staff limited
POST   /api/auth/login                                    200 200 200 200 200 200
POST   /api/auth/logout                                   200 200 200 401 200 200
GET    /api/auth/me                                       200 200 200 401 200 200
GET    /api/auth/tokens                                   200 200 200 401 200 200
DELETE /api/auth/tokens/{token_id}                        200 404 404 401 404 404
GET    /api/schema/                                       200 200 200 200 200 200
GET    /api/docs/                                         200 200 200 200 200 200
POST   /api/data-sync/single                              202 202 404 401 202 404
POST   /api/data-sync/batch                               202 202 202 401 202 202
POST   /api/data-sync/batch-by-ids                        202 202 404 401 202 404
POST   /api/data-sync/batch-all                           202 202 202 401 202 202
GET    /api/data-sync/progress/{task_id}                  200 404 404 401 200 404
GET    /api/data-sync/progress/{task_id}/stream           200 404 404 401 200 404
GET    /api/data-sync/tasks                               200 200 200 401 200 200
GET    /api/data-sync/task-status/{celery_task_id}        200 404 404 401 200 404
DELETE /api/data-sync/cancel-task/{celery_task_id}        200 404 404 401 200 404
POST   /api/data-sync/retry-task/{celery_task_id}         202 404 404 401 202 404
GET    /api/data-sync/files                               200 200 200 401 200 200
POST   /api/data-sync/files                               201 201 400 401 201 400
POST   /api/data-sync/files/refresh                       403 403 403 401 200 403
DELETE /api/data-sync/files/batch                         403 403 403 401 200 404
POST   /api/data-sync/files/batch-delete-impact           200 200 404 401 200 404
GET    /api/data-sync/files/{file_id}                     200 200 404 401 200 404
PATCH  /api/data-sync/files/{file_id}                     200 200 404 401 200 404
DELETE /api/data-sync/files/{file_id}                     403 403 403 401 200 404
GET    /api/data-sync/files/{file_id}/profile             200 200 404 401 200 404
POST   /api/data-sync/files/{file_id}/dry-run             200 200 404 401 200 404
GET    /api/data-sync/files/{file_id}/delete-impact       200 200 404 401 200 404
POST   /api/data-sync/files/{file_id}/restore             403 403 403 401 200 404
POST   /api/data-sync/exports                             202 202 404 401 202 404
GET    /api/data-sync/exports/{export_id}                 200 404 404 401 200 404
GET    /api/data-sync/exports/{export_id}/download        400 400 400 400 400 400
POST   /api/data-sync/preview                             200 200 404 401 200 404
POST   /api/data-sync/templates/{template_id}/remap       403 403 403 401 202 403
POST   /api/data-sync/files/recheck                       200 200 200 401 200 200
GET    /api/data-sync/templates                           200 200 200 401 200 200
POST   /api/data-sync/templates                           403 403 403 401 201 201
POST   /api/data-sync/templates/suggest                   200 200 404 401 200 404
POST   /api/data-sync/templates/compare                   200 200 404 401 200 404
POST   /api/data-sync/templates/import                    403 403 403 401 422 422
GET    /api/data-sync/templates/{template_id}             200 200 200 401 200 200
PUT    /api/data-sync/templates/{template_id}             403 403 403 401 200 200
PATCH  /api/data-sync/templates/{template_id}             403 403 403 401 200 200
DELETE /api/data-sync/templates/{template_id}             403 403 403 401 200 200
GET    /api/data-sync/templates/{template_id}/versions    200 200 200 401 200 200
POST   /api/data-sync/templates/{template_id}/new-version 403 403 403 401 201 201
POST   /api/data-sync/templates/{template_id}/publish     403 403 403 401 200 403
POST   /api/data-sync/templates/{template_id}/archive     403 403 403 401 200 403
GET    /api/data-sync/templates/{template_id}/export      200 200 200 401 200 200
GET    /api/data-sync/platforms                           200 200 200 401 200 200
GET    /api/data-sync/governance/stats                    200 200 200 401 200 200
GET    /api/data-sync/governance/detailed-coverage        200 200 200 401 200 200
GET    /api/data-sync/loss-analysis                       200 200 200 401 200 200
GET    /api/data-sync/loss-alert                          200 200 200 401 200 200
GET    /api/data-sync/quarantine                          200 200 200 401 200 200
GET    /api/data-sync/quarantine/stats                    200 200 200 401 200 200
GET    /api/data-sync/quarantine/files                    200 200 200 401 200 200
GET    /api/data-sync/quarantine/export                   200 200 200 401 200 200
POST   /api/data-sync/quarantine/import                   422 422 422 401 422 422
POST   /api/data-sync/quarantine/correct                  200 200 404 401 200 404
POST   /api/data-sync/quarantine/release                  200 200 404 401 200 404
POST   /api/data-sync/quarantine/discard                  200 200 404 401 200 404
GET    /api/data-sync/quarantine/{row_id}                 200 200 404 401 200 404
PATCH  /api/data-sync/quarantine/{row_id}                 200 200 404 401 200 404
GET    /api/data-sync/facts/{domain}                      200 200 200 401 200 200
GET    /api/data-sync/facts/{domain}/{record_key}         200 200 404 401 200 404
GET    /api/collection/accounts                           200 200 200 401 200 200
GET    /api/accounts/stats                                200 200 200 401 200 200
GET    /api/component-versions                            200 200 200 401 200 200
GET    /api/cache/status                                  403 403 403 401 200 403
POST   /api/cache/clear                                   403 403 403 401 200 403
GET    /api/quota/me                                      200 200 200 401 200 200
GET    /api/quota/users                                   403 403 403 401 200 403
GET    /api/quota/users/{user_id}                         403 403 403 401 200 403
PUT    /api/quota/users/{user_id}                         403 403 403 401 200 403
DELETE /api/quota/users/{user_id}                         403 403 403 401 200 403
GET    /api/rate-limit/config                             403 403 403 401 200 403
POST   /api/rate-limit/config                             403 403 403 401 201 403
GET    /api/rate-limit/config/{rule_id}                   403 403 403 401 200 403
PATCH  /api/rate-limit/config/{rule_id}                   403 403 403 401 200 403
DELETE /api/rate-limit/config/{rule_id}                   403 403 403 401 200 403
GET    /api/rate-limit/stats                              403 403 403 401 200 403
DELETE /api/rate-limit/stats                              403 403 403 401 200 403
GET    /api/rate-limit/events                             403 403 403 401 200 403
GET    /api/rate-limit/anomalies                          403 403 403 401 200 403
GET    /api/rate-limit/my-info                            200 200 200 401 200 200
GET    /api/credits/balance                               200 200 200 401 200 200
GET    /api/credits/entries                               200 200 200 401 200 200
POST   /api/credits/users/{user_id}/grant                 403 403 403 401 200 403
"""
API = "/api/"


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.DATA_ROOTS = [tmp_path]
    settings.EXPORT_DIR = tmp_path / "exports"
    settings.UPLOAD_DIR = tmp_path / "uploads"
    return company(tmp_path)


@pytest.fixture
def clients(world: World) -> dict[str, APIClient]:
    signed_in = {name: client_of(getattr(world, name)) for name in PEOPLE if name != "anonymous"}
    return {name: signed_in.get(name, APIClient()) for name in PEOPLE}


def listed() -> dict[Route, tuple[int, ...]]:
    """The table: what each of the six is answered."""
    rows = [line.split() for line in TABLE.splitlines() if line and "#" not in line]
    return {Route(method, path): tuple(map(int, statuses)) for method, path, *statuses in rows}


def addresses(world: World) -> dict[str, Any]:
    """What stands in an address for each parameter; the things of the owner's shop."""
    return {
        "file_id": world.file.pk,
        "task_id": world.ended.task_id,
        "celery_task_id": world.ended.celery_task_id,
        "template_id": world.draft.pk,
        "export_id": world.export.pk,
        "row_id": world.row.pk,
        "domain": "orders",
        "record_key": world.fact.record_key,
        "user_id": world.owner.pk,
        "token_id": world.token.pk,
        "rule_id": world.rule.pk,
    }


def others(world: World) -> dict[str, dict[str, Any]]:
    """Where a call needs another thing than the usual one."""
    templates = "/api/data-sync/templates/{template_id}"
    in_use = {"template_id": world.published.pk}
    return {
        "DELETE /api/data-sync/cancel-task/{celery_task_id}": {"celery_task_id": world.active.celery_task_id},
        "POST /api/data-sync/files/{file_id}/restore": {"file_id": world.gone.pk},
        f"POST {templates}/archive": in_use,
        f"POST {templates}/remap": in_use,
        f"GET {templates}/export": in_use,
    }


def bodies(world: World) -> dict[str, Any]:
    """What each call is sent."""
    chosen = {"ids": [world.row.pk]}
    files = {"file_ids": [world.synced.pk]}
    return {
        "POST /api/auth/login": {"username": "owner", "password": "correct horse"},
        "POST /api/data-sync/single": {"file_id": world.file.pk},
        "POST /api/data-sync/batch-by-ids": {"file_ids": [world.file.pk]},
        "PATCH /api/data-sync/files/{file_id}": {"account": "another"},
        "DELETE /api/data-sync/files/batch": files,
        "POST /api/data-sync/files/batch-delete-impact": files,
        "POST /api/data-sync/exports": {**files, "what": "originals"},
        "POST /api/data-sync/preview": {"file_id": world.file.pk},
        "POST /api/data-sync/templates": BODY | {"variant": "third"},
        "PUT /api/data-sync/templates/{template_id}": BODY | {"variant": "second"},
        "PATCH /api/data-sync/templates/{template_id}": {"notes": "told"},
        "POST /api/data-sync/templates/suggest": {"file_id": world.file.pk},
        "POST /api/data-sync/templates/compare": {"template_id": world.draft.pk, "file_id": world.file.pk},
        "PATCH /api/data-sync/quarantine/{row_id}": {"values": {"Quantity": "12"}},
        "POST /api/data-sync/quarantine/correct": {**chosen, "header": "Quantity", "replacement": "12"},
        "POST /api/data-sync/quarantine/release": chosen,
        "POST /api/data-sync/quarantine/discard": {**chosen, "note": "no use"},
        "PUT /api/quota/users/{user_id}": {"max_active_tasks": 3},
        "POST /api/rate-limit/config": {
            "tier": "normal",
            "scope": "default",
            "endpoint": "sync-tasks",
            "per_minute": 5,
        },
        "PATCH /api/rate-limit/config/{rule_id}": {"per_minute": 5},
        "POST /api/credits/users/{user_id}/grant": {"amount": 5, "key": "walk"},
    }


def uploads() -> dict[str, dict[str, Any]]:
    """The forms of the calls that take a file."""
    described = {"platform": "shopee", "domain": "orders", "granularity": "daily", "shop_id": SHOP_MARK}
    return {
        "POST /api/data-sync/files": described | {"file": SimpleUploadedFile("new.csv", b"Order ID,SKU\nA1,S1\n")},
        "POST /api/data-sync/quarantine/import": {"file": SimpleUploadedFile("rows.csv", b"a,b\n1,2\n")},
        "POST /api/data-sync/templates/import": {"file": SimpleUploadedFile("one.toml", b"nothing = 1\n")},
    }


def asked(world: World, clients: dict[str, APIClient], route: Route) -> Iterator[tuple[str, Any]]:
    """What each of the six is answered; after each answer everything is as it was."""
    values = addresses(world) | others(world).get(str(route), {})
    path = re.sub(r"{(\w+)}", lambda found: str(values[found[1]]), route.path)
    for name, client in clients.items():
        options: dict[str, Any] = {"data": bodies(world).get(str(route), {})} if route.method != "GET" else {}
        if str(route) in uploads():
            options = {"data": uploads()[str(route)], "format": "multipart"}
        with undone():
            response = getattr(client, route.method.lower())(path, **options)
            told = _content(response)
        yield name, (response.status_code, told)


def _content(response: Any) -> bytes:
    """The whole answer, and its end: a stream of events takes a place until then."""
    if not response.streaming:
        return bytes(response.content)
    told = b"".join(response)
    with connection_kept():
        response.close()
    return told


def test_every_route_of_the_api_is_in_the_table() -> None:
    assert {route for route in routes() if route.path.startswith(API)} == set(listed())


def test_each_of_the_six_gets_what_the_table_says(world: World, clients: dict[str, APIClient]) -> None:
    wrong = []
    for route, wanted in listed().items():
        got = dict(asked(world, clients, route))
        if tuple(status for status, _ in got.values()) != wanted:
            wrong.append(f"{route}: {' '.join(str(status) for status, _ in got.values())}, not {wanted}")
    assert not wrong, "\n".join(wrong)


def test_nobody_is_shown_what_is_not_theirs(world: World, clients: dict[str, APIClient]) -> None:
    """The marks stand in what the owner is shown, and nowhere in what the others are."""
    shown = {SHOP_MARK: 0, OWN_MARK: 0}
    for route in listed():
        for name, (status, told) in asked(world, clients, route):
            if status >= 400:
                continue
            for mark in shown:
                seen = mark.encode() in told
                shown[mark] += seen and name == "owner"
                hidden = name in {"stranger", "anonymous", "limited"} or (name == "teammate" and mark == OWN_MARK)
                assert not (seen and hidden), f"{route} shows {mark} to the {name}"
    assert all(number >= 5 for number in shown.values()), shown
