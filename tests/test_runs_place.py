"""Which turn a waiting task has, where the places of all are remembered for a moment."""

from __future__ import annotations

import pytest

from datasync.access import EVERYTHING
from datasync.runs import services, situation
from datasync.runs.situation import Queue
from tests.runs_support import Bell, bell, make_file

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_task_that_is_newer_than_what_is_remembered_stands_behind_the_others(
    bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING)
    assert Queue.of_now().place(first.pk) == 1
    monkeypatch.setattr(situation.places, "seconds", 60.0)
    second = services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING)
    assert Queue.of_now().place(second.pk) == 2
