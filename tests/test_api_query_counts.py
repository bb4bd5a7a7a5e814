"""How often each reading call asks the database: as often for a thousand rows as for ten, and no oftener than now.

Signing in is part of every figure, and with it what is asked along: limits, and the shops that a person sees. Nothing
is taken from a cache.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.api import client_of
from tests.document import Operation, operations
from tests.many_rows import add
from tests.test_api_router_walk import addresses
from tests.world import World, company

pytestmark = pytest.mark.django_db
FEW, MANY = 10, 1_000
BASELINE = """
/api/accounts/stats                              2  2
/api/auth/me                                     2  2
/api/auth/tokens                                 3  3
/api/cache/status                                -  1
/api/collection/accounts                         4  4
/api/component-versions                          3  3
/api/credits/balance                             3  3
/api/credits/entries                             2  2
/api/data-sync/exports/{export_id}               4  2
/api/data-sync/exports/{export_id}/download      -  -
/api/data-sync/facts/{domain}                    3  2
/api/data-sync/facts/{domain}/{record_key}       7  7
/api/data-sync/files                             3  3
/api/data-sync/files/{file_id}                   2  2
/api/data-sync/files/{file_id}/delete-impact    10 10
/api/data-sync/files/{file_id}/profile           3  3
/api/data-sync/governance/detailed-coverage      3  3
/api/data-sync/governance/stats                  5  5
/api/data-sync/loss-alert                        4  4
/api/data-sync/loss-analysis                     4  4
/api/data-sync/platforms                         3  3
/api/data-sync/progress/{task_id}                3  3
/api/data-sync/quarantine                        3  3
/api/data-sync/quarantine/{row_id}               3  3
/api/data-sync/quarantine/export                 3  3
/api/data-sync/quarantine/files                  5  5
/api/data-sync/quarantine/stats                  8  8
/api/data-sync/task-status/{celery_task_id}      3  3
/api/data-sync/tasks                             4  4
/api/data-sync/templates                         3  3
/api/data-sync/templates/{template_id}           3  3
/api/data-sync/templates/{template_id}/export    3  3
/api/data-sync/templates/{template_id}/versions  5  5
/api/quota/me                                    7  6
/api/quota/users                                 -  5
/api/quota/users/{user_id}                       - 11
/api/rate-limit/anomalies                        -  5
/api/rate-limit/config                           -  5
/api/rate-limit/config/{rule_id}                 -  4
/api/rate-limit/events                           -  4
/api/rate-limit/my-info                          2  2
/api/rate-limit/stats                            -  9
"""
"""Queries of the owner, who is limited to a shop, and of staff; - where the call is not theirs."""


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.DATA_ROOTS = [tmp_path]
    return company(tmp_path)


def reading() -> list[Operation]:
    """The calls that read."""
    return [call for call in operations() if call.method == "GET" and "text/event-stream" not in str(call.told)]


def baseline() -> dict[str, tuple[int | None, int | None]]:
    rows = [line.split() for line in BASELINE.strip().splitlines()]
    return {path: (_figure(owner), _figure(staff)) for path, owner, staff in rows}


def _figure(text: str) -> int | None:
    return None if text == "-" else int(text)


def counted(world: World, clients: list[APIClient]) -> dict[str, tuple[int | None, ...]]:
    """What each call asks for each of the clients."""
    values = addresses(world)
    found = {}
    for call in reading():
        path = re.sub(r"{(\w+)}", lambda part: str(values[part[1]]), call.path)
        sized = {"page_size": 200} if "page_size" in str(call.told.get("parameters")) else {}
        found[call.path] = tuple(_queries(client, path, sized) for client in clients)
    return found


def _queries(client: APIClient, path: str, query: dict[str, Any]) -> int | None:
    cache.clear()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        response = client.get(path, query)
        b"".join(response) if response.streaming else response.content  # a stream asks while it is read
    return len(asked) if response.status_code == 200 else None


def test_as_often_for_a_thousand_rows_as_for_ten(world: World) -> None:
    clients = [client_of(world.owner), client_of(world.staff)]
    counted(world, clients)  # what is asked once, such as content types and the first use of a token
    add(world, FEW)
    few = counted(world, clients)
    add(world, MANY - FEW)
    many = counted(world, clients)
    growing = {
        path: (few[path], many[path])
        for path in few
        if any(more is not None and more > (less or 0) for less, more in zip(few[path], many[path], strict=True))
    }
    assert growing == {}
    assert many == baseline()
