"""Asking for syncs. The work is done by workers; the answer is the id to follow."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import sync as examples
from datasync.api.once import once, task_once
from datasync.api.requests.sync import BatchSync, ChosenSync, EverySync, SingleSync
from datasync.api.serializers.tasks import NothingPending, Submitted, SubmittedByIds
from datasync.exceptions import (
    CreditsExhausted,
    DataNotFound,
    FileBusy,
    FileNotFound,
    InvalidRequest,
    NoTasksAllowed,
    TooManyActiveTasks,
    TooManyFilesInTask,
)
from datasync.models import SyncProgressTask
from datasync.runs import services
from erp.api.authentication import person_of
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import represented, validated

_NOTHING = {
    "task_id": None,
    "celery_task_id": None,
    "status": None,
    "total_files": 0,
    "processed_files": 0,
    "fallback": False,
    "message": "",
}


class SingleView(APIView):
    """``POST /api/data-sync/single``"""

    @documented(
        name="sync_single",
        summary="Sync one file",
        tag="sync",
        answer=Submitted,
        status=HTTPStatus.ACCEPTED,
        example=examples.SINGLE,
        body=SingleSync,
        body_example={"file_id": 17, "priority": 8, "deadline_seconds": 600},
        once=True,
        errors=(FileNotFound, FileBusy, InvalidRequest, TooManyActiveTasks, NoTasksAllowed, CreditsExhausted),
    )
    def post(self, request: Request) -> Answer:
        asked, person = validated(SingleSync, request.data), person_of(request)
        submit = partial(services.submit_single, owner=person, sight=Sight.of(person), **asked)
        return _accepted(task_once(request, asked, submit))


class BatchView(APIView):
    """``POST /api/data-sync/batch``"""

    @documented(
        name="sync_batch",
        summary="Sync pending files, by filter",
        tag="sync",
        answer=Submitted,
        status=HTTPStatus.ACCEPTED,
        example=examples.BATCH,
        body=BatchSync,
        body_example={
            "platform": "shopee",
            "domains": ["orders"],
            "granularities": ["daily"],
            "limit": 100,
            "deadline_seconds": 3600,
        },
        once=True,
        errors=(TooManyActiveTasks, TooManyFilesInTask, CreditsExhausted),
        other={HTTPStatus.OK: ("Nothing is pending", _NOTHING)},
        other_answer=NothingPending,
    )
    def post(self, request: Request) -> Answer:
        asked, person = validated(BatchSync, request.data), person_of(request)
        submit = partial(services.submit_batch, owner=person, sight=Sight.of(person), **asked)
        return _accepted(task_once(request, asked, submit))


class BatchByIdsView(APIView):
    """``POST /api/data-sync/batch-by-ids``"""

    @documented(
        name="sync_batch_by_ids",
        summary="Sync chosen files",
        tag="sync",
        answer=SubmittedByIds,
        status=HTTPStatus.ACCEPTED,
        example=examples.BY_IDS,
        body=ChosenSync,
        body_example={"file_ids": [17, 18, 19], "allow_quarantine": False, "deadline_seconds": 3600},
        once=True,
        errors=(DataNotFound, FileBusy, TooManyActiveTasks, TooManyFilesInTask, CreditsExhausted),
    )
    def post(self, request: Request) -> Answer:
        asked, person = validated(ChosenSync, request.data), person_of(request)
        submit = partial(services.submit_by_ids, owner=person, sight=Sight.of(person), **asked)
        submission = once(request, asked, submit)
        left_out = {
            "missing_file_ids": submission.missing_file_ids,
            "busy_file_ids": submission.busy_file_ids,
        }
        return Answer(_submitted(submission.task) | left_out, status=HTTPStatus.ACCEPTED)


class BatchAllView(APIView):
    """``POST /api/data-sync/batch-all``"""

    @documented(
        name="sync_batch_all",
        summary="Sync everything pending that has a template",
        tag="sync",
        answer=Submitted,
        status=HTTPStatus.ACCEPTED,
        example=examples.BATCH,
        body=EverySync,
        body_example={"priority": 3, "deadline_seconds": 21600},
        once=True,
        errors=(TooManyActiveTasks, TooManyFilesInTask, CreditsExhausted),
        other={HTTPStatus.OK: ("Nothing is pending", _NOTHING)},
        other_answer=NothingPending,
    )
    def post(self, request: Request) -> Answer:
        asked, person = validated(EverySync, request.data), person_of(request)
        submit = partial(services.submit_all, owner=person, sight=Sight.of(person), **asked)
        return _accepted(task_once(request, asked, submit))


def _accepted(task: SyncProgressTask | None) -> Answer:
    """202 with the task, or 200 when there was nothing to do."""
    if task is None:
        return Answer(_NOTHING, message=_("Nothing is pending."))
    return Answer(_submitted(task), status=HTTPStatus.ACCEPTED)


def _submitted(task: SyncProgressTask) -> dict[str, Any]:
    return dict(represented(Submitted, task))
