"""Whatever is sent to the API, the answer is one that its document promises.

``make schemathesis`` sends thousands of requests, other ones each time; a usual run some hundreds, always the same.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from erp.models import ApiToken
from ratelimits.limits.choices import MOST_PER_MINUTE
from ratelimits.models import RateRule
from tests.connections import connection_kept, one_transaction
from tests.document import operations
from tests.generated import Explorer
from tests.rates import limiter
from tests.world import World, company

__all__ = ["limiter", "one_transaction"]
pytestmark = [pytest.mark.django_db, pytest.mark.slow]
USUAL = 700
ASKED = int(os.environ.get("GENERATED_EXAMPLES", "0"))


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


@pytest.mark.usefixtures("limiter", "one_transaction")
def test_every_answer_is_one_that_the_document_promises(world: World) -> None:
    RateRule.objects.update(per_minute=MOST_PER_MINUTE)
    people = {"operator": token_of(world.owner), "staff": token_of(world.staff), "nobody": {}}
    explorer = Explorer(people=people, known=known_in(world))
    with connection_kept():
        explorer.explore(examples=ASKED or USUAL, deterministic=not ASKED)
    print(f"{explorer.sent.total()} requests; answers by status: {dict(sorted(explorer.statuses.items()))}")
    wrong = "\n\n".join(text for told in explorer.wrong.values() for text in told)
    assert not wrong, wrong
    assert set(explorer.sent) == {call.name for call in operations()}
    assert explorer.sent.total() >= (ASKED or USUAL)
    assert {200, 400, 401, 403, 404} <= set(explorer.statuses), "the requests reach too little"
