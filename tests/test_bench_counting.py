"""What the benchmark of the queue counts: what a file costs, not the question that finds nothing to do."""

from __future__ import annotations

import pytest

from bench.counting import counted
from datasync.access import EVERYTHING
from datasync.runs import services
from datasync.runs.turns import take_turn
from tests.runs_support import bell, ingest, make_file, make_user

__all__ = ["bell", "ingest"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bell", "ingest")]


def test_a_question_that_finds_nothing_is_not_counted() -> None:
    """Neither its statements nor their time."""
    with counted() as cost:
        take_turn()
    assert (cost.statements.total(), cost.commits, cost.database_seconds) == (0, 0, 0.0)


def test_a_question_that_finds_a_task_is_counted() -> None:
    services.submit_single(file_id=make_file().pk, owner=make_user(), sight=EVERYTHING)
    with counted() as cost:
        take_turn()
    assert sum("served_at" in statement for statement in cost.statements.elements()) == 1
    assert cost.database_seconds > 0
