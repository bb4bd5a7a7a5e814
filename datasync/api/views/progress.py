"""How far it is. People see their own tasks, staff everybody's; a task of somebody else does not exist for them."""

from __future__ import annotations

from celery import states
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.api.examples import sync as examples
from datasync.api.filters import ResultQuery, TaskQuery, filter_tasks
from datasync.api.serializers.tasks import CeleryStatus, FileResult, LiveProgress, Progress, TaskSummary
from datasync.exceptions import StreamsBusy, TaskNotFound
from datasync.runs import selectors
from datasync.runs.follow import Follower
from erp.api.authentication import person_of
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
        seen = selectors.glance(selectors.task_for(person_of(request), task_id))
        tag = weak_tag(seen.version(number, size))
        if unchanged := not_modified(request, tag):
            return unchanged
        progress = selectors.progress(seen.task, page=number, page_size=size, seen=seen)
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
            "server restarts, it breaks off without `end`, and the client connects again. Each web process serves a "
            "few streams at once; whoever gets STREAMS_BUSY, or loses the stream, polls the progress call, which "
            "tells the same."
        ),
        tag="progress",
        downloads={MEDIA_TYPE: "The events `progress`, `file` and `end`."},
        headers={"Last-Event-ID": "The id of the last event that the client got; browsers send it by themselves."},
        errors=(TaskNotFound, StreamsBusy),
    )
    def get(self, request: Request, task_id: str) -> EventStreamResponse:
        task = selectors.task_for(person_of(request), task_id)
        follower = Follower(task.pk, after=last_event_id(request))
        return EventStreamResponse(EventStream(lambda: _events(follower)))


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
        query = validated(TaskQuery, request.query_params, user=person_of(request))
        tasks = filter_tasks(selectors.tasks_visible_to(person_of(request)), query)
        page = paginate(tasks, page=query["page"], page_size=query["page_size"])
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
        task = selectors.task_by_celery_id(person_of(request), celery_task_id)
        state = selectors.celery_state(task)
        progress = selectors.progress(task, page_size=1)
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


def _events(follower: Follower) -> list[Event]:
    return [
        Event(new.name, new.id, represented(_TOLD[new.name], new.data), last=new.name == "end")
        for new in follower.look()
    ]
