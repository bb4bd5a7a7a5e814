"""Cancelling and retrying tasks. People steer their own, staff everybody's."""

from __future__ import annotations

from http import HTTPStatus

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import steering as examples
from datasync.api.once import once
from datasync.api.requests.sync import Retry
from datasync.api.serializers.steering import Cancelled, Retried
from datasync.exceptions import (
    CreditsExhausted,
    FileBusy,
    LimitedToShops,
    NothingToRetry,
    TaskFinished,
    TaskNotFound,
    TaskRunning,
    TemplateNotFound,
    TemplateNotInUse,
    TooManyActiveTasks,
    TooManyFilesInTask,
)
from datasync.runs import selectors
from datasync.runs.again import retry_task
from datasync.runs.cancel import cancel_task
from erp.api.authentication import person_of
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated


class CancelTaskView(APIView):
    """``DELETE /api/data-sync/cancel-task/{celery_task_id}``"""

    @documented(
        name="cancel_task",
        summary="Cancel a task that waits or runs",
        tag="sync",
        answer=Cancelled,
        example=examples.CANCELLED,
        errors=(TaskNotFound, TaskFinished),
        changes=True,
        notes="Files that wait are stopped at once, those in hand within seconds; nothing of them is written. "
        "Files that are finished stay as they are. Each list names 1,000 files at most.",
    )
    def delete(self, request: Request, celery_task_id: str) -> Answer:
        person = person_of(request)
        cancelled = cancel_task(selectors.task_by_celery_id(person, celery_task_id, sight=Sight.of(person)))
        in_hand = _("Files in hand stop within seconds.") if cancelled.stopping.files else ""
        return Answer(Cancelled(cancelled).data, message=in_hand)


class RetryTaskView(APIView):
    """``POST /api/data-sync/retry-task/{celery_task_id}``"""

    @documented(
        name="retry_task",
        summary="Sync the failed files of a task once more",
        tag="sync",
        answer=Retried,
        status=HTTPStatus.ACCEPTED,
        example=examples.RETRIED,
        body=Retry,
        body_example={"only_failed": True, "deadline_seconds": 3600},
        errors=(
            TaskNotFound,
            TaskRunning,
            NothingToRetry,
            FileBusy,
            TemplateNotFound,
            TemplateNotInUse,
            LimitedToShops,
            TooManyActiveTasks,
            TooManyFilesInTask,
            CreditsExhausted,
        ),
        once=True,
        notes="A task is retried once: asked again, the answer is the same new task, whatever files it was made over. "
        "It belongs to the person whose task is retried; a retry that failed can itself be retried.",
    )
    def post(self, request: Request, celery_task_id: str) -> Answer:
        asked, person = validated(Retry, request.data), person_of(request)
        task = selectors.task_by_celery_id(person, celery_task_id, sight=Sight.of(person))
        retried = once(request, asked, lambda: retry_task(task, sight=Sight.of(person), **asked))
        left_out = {"busy_file_ids": retried.busy_file_ids}
        return Answer(Retried(retried.task, context=left_out).data, status=HTTPStatus.ACCEPTED)
