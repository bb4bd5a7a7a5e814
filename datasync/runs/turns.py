"""A turn: one message works for about a second on the task whose turn it is, then queues again behind the others.

A message names no task: it says that there is work, and the database says which (``pick``). So small files cost no
message each, a large batch starves nobody, and a lost worker loses one file's effort. A turn that finds nothing to do
ends; whoever makes work gives new turns, and the sweeper gives them where messages were lost.
"""

from __future__ import annotations

import logging
import time
import uuid

from django.conf import settings
from django.db import Error, close_old_connections, connections
from django.db.models.functions import Now

from datasync.choices import TaskState
from datasync.models import SyncProgressTask
from datasync.runs.claim import Claim, claim_next
from datasync.runs.close import close_if_done
from datasync.runs.execute import execute
from datasync.runs.pick import pick_task
from datasync.runs.publish import USUAL_PRIORITY, give_turns
from datasync.runs.results import store_started
from datasync.runs.worker import must_stop
from erp.silence import limited

logger = logging.getLogger(__name__)
MOST_SECONDS = 300.0
"""No message takes another file after so long, so that the last one still has most of the soft time limit."""


class TurnNotPassedOn(Exception):
    """The broker did not take the turn back: it has to deliver the same message again."""


def take_turn(*, message_id: str | None = None) -> None:
    """Work for a slice, then pass the turn on; end where there is nothing to do.

    Whatever fails costs the slice and a pause; the turn goes back, so nothing is forgotten. Raises
    ``TurnNotPassedOn`` where the broker does not take it.
    """
    message_id = message_id or str(uuid.uuid4())
    try:
        close_old_connections()
        _work(message_id)
    except TurnNotPassedOn:
        raise
    except Exception:  # the boundary of a message: without it one defect would silence all tasks for good
        logger.exception("A turn ends early")
        time.sleep(settings.SLICE_SECONDS)
        if not give_turns(first_id=message_id):
            raise TurnNotPassedOn from None


def take_local_turn() -> bool:
    """Work for a slice in this process, without a message; False when there is nothing to do here any more.

    That is also when the broker takes the turn, and when the process is about to end.
    """
    if must_stop():
        return False
    try:
        task = _pick()
        if task is None:
            return False
        work_on(task, until=time.monotonic() + settings.SLICE_SECONDS)
    except Error as error:
        logger.warning("A local turn failed: %s", error)
        connections.close_all()
        time.sleep(settings.SLICE_SECONDS)
    except Exception:  # the boundary of a turn: a defect with one task must not silence the others
        logger.exception("A local turn failed")
        time.sleep(settings.SLICE_SECONDS)
    return settings.EXECUTION == "local" or not give_turns()


def _work(message_id: str) -> None:
    """Task after task until the slice is over. Where the broker does not take the turn back, it goes on for a while."""
    began = time.monotonic()
    until, priority = began + settings.SLICE_SECONDS, USUAL_PRIORITY
    while (task := _pick()) is not None:
        work_on(task, until=until)
        priority = task.priority
        now = time.monotonic()
        if now < until:
            continue
        if give_turns(first_id=message_id, priority=priority):
            return
        if now - began >= MOST_SECONDS:
            raise TurnNotPassedOn
        until = now + settings.SLICE_SECONDS


def work_on(task: SyncProgressTask, *, until: float) -> None:
    """File after file of the task, until that time of the monotonic clock or until there is none; then close it."""
    while (claim := _claim(task)) is not None:
        execute(claim, task)
        if task.total_files == 1 or time.monotonic() >= until:
            break
    with limited(settings.LEASE_SECONDS):
        close_if_done(task)


def _pick() -> SyncProgressTask | None:
    with limited(settings.LEASE_SECONDS):
        return pick_task()


def _claim(task: SyncProgressTask) -> Claim | None:
    with limited(settings.LEASE_SECONDS):
        claim = claim_next(task.pk)
        if claim is not None:
            _mark_started(task)
        return claim


def _mark_started(task: SyncProgressTask) -> None:
    """The first claim of a task starts it, exactly once among all workers."""
    if task.state == TaskState.PROCESSING:
        return
    waiting = SyncProgressTask.objects.filter(pk=task.pk, state__in=(TaskState.PENDING, TaskState.QUEUED))
    task.state = TaskState.PROCESSING
    if waiting.update(state=TaskState.PROCESSING, started_at=Now(), message=""):
        store_started(task)
