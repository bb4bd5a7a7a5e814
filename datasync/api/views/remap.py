"""Typing stored rows again after a template was corrected."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import remap as examples
from datasync.api.once import once
from datasync.api.requests.remap import RemapOptions
from datasync.api.serializers.remap import Remap
from datasync.api.serializers.tasks import Submitted
from datasync.exceptions import (
    FileBusy,
    LimitedToShops,
    TemplateNotFound,
    TemplateNotInUse,
    TooManyActiveTasks,
    TooManyFilesInTask,
)
from datasync.runs.remap.services import remap_preview, start_remap
from datasync.runs.services import Submission
from erp.api.authentication import staff_of
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated

_NOTHING = {
    "task_id": None,
    "celery_task_id": None,
    "status": None,
    "total_files": 0,
    "processed_files": 0,
    "fallback": False,
    "message": "",
    "busy_file_ids": (),
    "preview": None,
}


class RemapView(APIView):
    """``POST /api/data-sync/templates/{id}/remap``"""

    @documented(
        name="remap_template",
        summary="Type the stored rows of a template again",
        tag="templates",
        answer=Remap,
        status=HTTPStatus.ACCEPTED,
        example=examples.STARTED,
        body=RemapOptions,
        body_example={"dry_run": False, "priority": 3, "deadline_seconds": 21600},
        once=True,
        errors=(
            TemplateNotFound,
            TemplateNotInUse,
            FileBusy,
            TooManyActiveTasks,
            TooManyFilesInTask,
            LimitedToShops,
            PermissionDenied,
        ),
        other={HTTPStatus.OK: ("A dry run, or no stored row is concerned", examples.PREVIEW)},
        notes="Staff only. The files themselves are not needed; the work is followed by the ordinary progress call.",
    )
    def post(self, request: Request, template_id: int) -> Answer:
        person = staff_of(request)
        sight = Sight.of(person)
        asked = validated(RemapOptions, request.data)
        if asked["dry_run"]:
            preview = remap_preview(template_id, sight=sight, sample=asked["sample"])
            told = {"total_files": preview.files, "busy_file_ids": preview.busy_file_ids, "preview": preview}
            return Answer(_remap(told), message=_("Nothing was written."))

        def start() -> Submission | None:
            started = start_remap(
                template_id,
                owner=person,
                sight=sight,
                priority=asked["priority"],
                deadline_seconds=asked.get("deadline_seconds"),
            )
            return Submission(task=started.task, busy_file_ids=started.busy_file_ids) if started else None

        submission = once(request, asked, start)
        if submission is None:
            return Answer(_remap({}), message=_("No stored row is concerned."))
        told = {**Submitted(submission.task).data, "busy_file_ids": submission.busy_file_ids}
        return Answer(_remap(told), status=HTTPStatus.ACCEPTED)


def _remap(told: dict[str, Any]) -> dict[str, Any]:
    return dict(Remap({**_NOTHING, **told}).data)
