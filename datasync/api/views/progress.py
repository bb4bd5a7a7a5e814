"""How far it is. People see their own tasks, staff everybody's; a task of somebody else does not exist for them."""

from __future__ import annotations

import time

from celery import states
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import sync as examples
from datasync.api.filters import ResultQuery, TaskQuery, filter_tasks
from datasync.api.serializers.tasks import CeleryStatus, FileResult, LiveProgress, Progress, TaskSummary
from datasync.exceptions import StreamsBusy, TaskNotFound
from datasync.models import SyncProgressTask
from datasync.runs import selectors
from datasync.runs.follow import Follower
from erp.api.authentication import person_of, still_signed_in
from erp.api.conditional import CONDITION, UNCHANGED, not_modified, tag_headers, weak_tag
from erp.api.event_stream import (
    MEDIA_TYPE,
    Event,
    EventStream,
    EventStreamNegotiation,
    EventStreamResponse,
    last_event_id,
)
from erp.api.pagination import Page, paginate
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import all_represented, represented, validated

RIGHTS_HOLD_SECONDS = 15.0
"""So long a stream goes on before it asks anew who is there, and what they may see."""
_TOLD: dict[str, type[LiveProgress | FileResult]] = {"progress": LiveProgress, "end": LiveProgress, "file": FileResult}


class ProgressView(APIView):
    """``GET /api/data-sync/progress/{task_id}``"""

    @documented(
        name="sync_progress",
        summary="How far a task is, with its files page by page",
        tag="progress",
        answer=Progress,
        example=examples.PROGRESS,
        paged=True,
        query=ResultQuery,
        errors=(TaskNotFound,),
        headers=CONDITION,
        bodiless=UNCHANGED,
        notes=(
            "For polling: the answer has a weak ETag, and sent back in If-None-Match it gives 304 while nothing has "
            "changed but the speed and the time left. `waiting` says of the task and of each file what it waits for, "
            "what happened last, and what happens next."
        ),
    )
    def get(self, request: Request, task_id: str) -> Answer | HttpResponse:
        query = validated(ResultQuery, request.query_params)
        number, size = query["page"], query["page_size"]
        person = person_of(request)
        sight = Sight.of(person)
        seen = selectors.glance(selectors.task_for(person, task_id, sight=sight))
        shops = None if sight.shop_ids is None else sorted(sight.shop_ids)
        tag = weak_tag(seen.version(number, size, shops))
        if unchanged := not_modified(request, tag):
            return unchanged
        progress = selectors.progress(seen.task, sight=sight, page=number, page_size=size, seen=seen)
        page = Page(rows=progress["results"], number=number, size=size, total=progress["files"]["total"])
        return Answer(represented(Progress, progress), page=page, headers=tag_headers(tag))


class ProgressStreamView(APIView):
    """``GET /api/data-sync/progress/{task_id}/stream``"""

    content_negotiation_class = EventStreamNegotiation
    http_method_names = ("get", "options")  # a HEAD would hold a thread for nothing

    @documented(
        name="sync_progress_stream",
        summary="Follow a task live, by server-sent events",
        notes=(
            "`progress` says how far the task is, whenever that changes; its data is the answer of the progress call "
            "without `results`. `file` says what came of a file, in the form of one of `results`; a client that joins "
            "late is told all of them. `end` is the last `progress`; close the stream then. Each event has an id; a "
            "client that comes back with Last-Event-ID is told what it missed, and files of the last two minutes "
            "perhaps twice. A comment every 15 seconds shows that the stream lives. After ten minutes, or when the "
            "server restarts, it breaks off without `end`, and the client connects again; so it does within 15 seconds "
            "after the token or session has ended or the task is kept from you. Each web process serves a "
            "few streams at once; whoever gets STREAMS_BUSY, or loses the stream, polls the progress call, which "
            "tells the same."
        ),
        tag="progress",
        downloads={MEDIA_TYPE: "The events `progress`, `file` and `end`."},
        headers={"Last-Event-ID": "The id of the last event that the client got; browsers send it by themselves."},
        errors=(TaskNotFound, StreamsBusy),
    )
    def get(self, request: Request, task_id: str) -> EventStreamResponse:
        person = person_of(request)
        task = selectors.task_for(person, task_id, sight=Sight.of(person))
        return EventStreamResponse(EventStream(_Telling(request, task).look))


class TasksView(APIView):
    """``GET /api/data-sync/tasks``"""

    @documented(
        name="list_tasks",
        summary="The history of tasks",
        tag="progress",
        answer=TaskSummary,
        example=[examples.TASK],
        many=True,
        paged=True,
        query=TaskQuery,
    )
    def get(self, request: Request) -> Answer:
        person = person_of(request)
        query = validated(TaskQuery, request.query_params, user=person)
        tasks = filter_tasks(selectors.tasks_visible_to(person, sight=Sight.of(person)), query)
        page = paginate(tasks, page=query["page"], page_size=query["page_size"], shown=selectors.listed)
        return Answer(all_represented(TaskSummary, selectors.with_live_counts(page.rows)), page=page)


class TaskStatusView(APIView):
    """``GET /api/data-sync/task-status/{celery_task_id}``"""

    @documented(
        name="task_status",
        summary="The state of a task by its Celery id",
        tag="progress",
        answer=CeleryStatus,
        example=examples.CELERY_STATUS,
        errors=(TaskNotFound,),
    )
    def get(self, request: Request, celery_task_id: str) -> Answer:
        person = person_of(request)
        sight = Sight.of(person)
        task = selectors.task_by_celery_id(person, celery_task_id, sight=sight)
        state = selectors.celery_state(task)
        progress = selectors.progress(task, sight=sight, page_size=1)
        ready = state in states.READY_STATES
        status = {
            "state": state,
            "ready": ready,
            "successful": state == states.SUCCESS if ready else None,
            "result": progress if ready else None,
            "error": progress["message"] if state == states.FAILURE else None,
            "progress": progress,
        }
        return Answer(represented(CeleryStatus, status))


class _Telling:
    """The events of a task for whoever asked, whose rights are asked for anew every so often."""

    def __init__(self, request: Request, task: SyncProgressTask) -> None:
        self._request, self._task = request, task
        self._follower = Follower(task.pk, after=last_event_id(request))
        self._sight, self._asked_at = Sight.of(person_of(request)), time.monotonic()

    def look(self) -> list[Event] | None:
        """What is new; None where the task is not theirs to see any more."""
        if time.monotonic() - self._asked_at >= RIGHTS_HOLD_SECONDS and not self._is_theirs_still():
            return None
        return [
            Event(new.name, new.id, represented(_TOLD[new.name], new.data), last=new.name == "end")
            for new in self._follower.look(sight=self._sight)
        ]

    def _is_theirs_still(self) -> bool:
        person = still_signed_in(self._request)
        if person is None:
            return False
        self._sight = Sight.of(person)
        seen = selectors.tasks_visible_to(person, sight=self._sight).filter(pk=self._task.pk).exists()
        self._asked_at = time.monotonic()
        return seen
