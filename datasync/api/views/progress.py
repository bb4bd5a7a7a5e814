"""How far it is. People see their own tasks, staff everybody's; a task of somebody else does not exist for them."""

from __future__ import annotations

from celery import states
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.api.examples import sync as examples
from datasync.api.filters import ResultQuery, TaskQuery, filter_tasks
from datasync.api.serializers.tasks import CeleryStatus, Progress, TaskSummary
from datasync.exceptions import TaskNotFound
from datasync.runs import selectors
from erp.api.authentication import person_of
from erp.api.pagination import Page, paginate
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated


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
    )
    def get(self, request: Request, task_id: str) -> Answer:
        query = validated(ResultQuery, request.query_params)
        number, size = query["page"], query["page_size"]
        progress = selectors.progress(selectors.task_for(person_of(request), task_id), page=number, page_size=size)
        page = Page(rows=progress["results"], number=number, size=size, total=progress["files"]["total"])
        return Answer(Progress(progress).data, page=page)


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
        return Answer(TaskSummary(selectors.with_live_counts(page.rows), many=True).data, page=page)


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
        return Answer(CeleryStatus(status).data)
