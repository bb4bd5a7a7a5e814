"""Whatever is sent to the API, the answer is one that its document promises.

``make schemathesis`` sends thousands of requests, other ones each time unless ``GENERATED_SEED`` says which; a usual
run some hundreds, always the same but for the ids of what there is.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from erp.caching.statistics import Outcome, statistics
from erp.models import ApiToken
from ratelimits.limits.choices import MOST_PER_MINUTE
from ratelimits.models import RateRule
from tests import contract, generated
from tests.cache_support import shared_cache
from tests.connections import connection_kept, one_transaction
from tests.document import operations
from tests.generated import Explorer, says_a_code_of_the_document
from tests.rates import limiter
from tests.world import World, company

__all__ = ["limiter", "one_transaction", "shared_cache"]
pytestmark = [pytest.mark.django_db, pytest.mark.slow]
USUAL = 700
ASKED = int(os.environ.get("GENERATED_EXAMPLES", "0"))
SEED = int(os.environ.get("GENERATED_SEED", "0")) or (random.randrange(1, 2**32) if ASKED else 1)
SELDOM_WELL = {
    "POST /api/auth/login", "DELETE /api/data-sync/cancel-task/{celery_task_id}",
    "GET /api/data-sync/exports/{export_id}/download", "POST /api/data-sync/files",
    "PATCH /api/data-sync/files/{file_id}", "POST /api/data-sync/files/{file_id}/restore",
    "PATCH /api/data-sync/quarantine/{row_id}", "POST /api/data-sync/quarantine/correct",
    "POST /api/data-sync/quarantine/import", "POST /api/data-sync/templates/compare",
    "POST /api/data-sync/templates/import", "POST /api/data-sync/templates/{template_id}/remap",
}  # fmt: skip
"""Calls whose success takes a password, a signature, a real file, or a thing in another state than those of the world;
each has tests of its own."""


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.DATA_ROOTS = [tmp_path]
    settings.EXPORT_DIR = tmp_path / "exports"
    return company(tmp_path)


def token_of(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {ApiToken.issue(user=user)[1]}"}


def known_in(world: World) -> dict[str, Any]:
    """Ids by the name under which calls ask for them."""
    return {
        "file_id": world.file.pk,
        "file_ids": [world.file.pk, world.synced.pk],
        "task_id": world.ended.task_id,
        "celery_task_id": world.ended.celery_task_id,
        "template_id": world.draft.pk,
        "export_id": world.export.pk,
        "row_id": world.row.pk,
        "ids": [world.row.pk],
        "user_id": world.owner.pk,
        "token_id": world.token.pk,
        "rule_id": world.rule.pk,
        "domain": "orders",
        "record_key": str(world.fact.record_key),
        "platform": "shopee",
        "source_platform": "shopee",
    }


def hits_of_platforms() -> int:
    return statistics.totals().get(f"platforms:{Outcome.HIT}", 0)


@pytest.mark.usefixtures("limiter", "one_transaction", "shared_cache")
def test_every_answer_is_one_that_the_document_promises(world: World) -> None:
    RateRule.objects.update(per_minute=MOST_PER_MINUTE)
    people = {"operator": token_of(world.owner), "staff": token_of(world.staff), "nobody": {}}
    explorer = Explorer(people=people, known=known_in(world), seed=SEED)
    connection.run_on_commit.clear()  # the world counts as committed, so that what is kept is taken from the cache
    hits = hits_of_platforms()
    with connection_kept(), contract.paused():
        explorer.explore(examples=ASKED or USUAL)
    told = f"{explorer.sent.total()} requests of GENERATED_SEED={SEED}"
    print(f"{told}; answers by status: {dict(sorted(explorer.statuses.items()))}")
    wrong = "\n\n".join(text for several in explorer.wrong.values() for text in several)
    assert not wrong, f"{told}\n\n{wrong}"
    assert set(explorer.sent) == {call.name for call in operations()}
    assert explorer.sent.total() >= (ASKED or USUAL)
    assert {200, 400, 401, 403, 404} <= set(explorer.statuses), "the requests reach too little"
    refused = sorted(set(explorer.sent) - explorer.well - SELDOM_WELL)
    assert not refused, f"{told}: no request to these calls succeeds: {', '.join(refused)}"
    assert hits_of_platforms() > hits, "nothing was taken from the cache"


class Recording(Explorer):
    """Sends nothing, and keeps what it would have sent."""

    made: list[tuple[str, ...]]

    def _send(self, case: Any, person: str) -> None:
        self.made.append((case.operation.label, repr(case.query), repr(case.body), person))


def test_the_same_seed_makes_up_the_same_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"GET /api/data-sync/files", "GET /api/auth/me", "POST /api/data-sync/preview"}
    called = [operation for operation in generated._operations() if operation.label in wanted]
    monkeypatch.setattr(generated, "_operations", lambda: iter(called))

    def made_up(seed: int) -> list[tuple[str, ...]]:
        explorer = Recording(people={"somebody": {"Authorization": "x"}, "nobody": {}}, known={"file_id": 5}, seed=seed)
        explorer.made = []
        explorer.explore(examples=90)
        return explorer.made

    first = made_up(1)
    assert len(first) >= 90
    assert made_up(1) == first
    assert made_up(2) != first


@pytest.mark.parametrize(("status", "code"), [(404, "ROW_NOT_FOUND"), (409, "FILE_NOT_FOUND"), (404, "")])
def test_an_error_of_another_call_is_noticed(status: int, code: str) -> None:
    case: Any = SimpleNamespace(operation=SimpleNamespace(label="GET /api/data-sync/files/{file_id}"))

    def answer(status: int, code: str) -> Any:
        told = {"error": {"code": code}}
        return SimpleNamespace(status_code=status, headers={"content-type": ["application/json"]}, json=lambda: told)

    context: Any = None
    says_a_code_of_the_document(context, answer(404, "FILE_NOT_FOUND"), case)
    with pytest.raises(AssertionError, match="the document has"):
        says_a_code_of_the_document(context, answer(status, code), case)


def test_what_is_made_up_is_no_test_of_a_call(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[contract.Answer] = set()
    monkeypatch.setattr(contract, "_seen", seen)
    with contract.paused():
        client.get("/api/auth/me")
    assert seen == set()
    client.get("/api/auth/me")
    assert seen == {("GET", "/api/auth/me", 401, "NOT_AUTHENTICATED")}
