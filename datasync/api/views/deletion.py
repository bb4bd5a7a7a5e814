"""What hangs on files, and deleting them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import deletion as examples
from datasync.api.examples.sync import FILE_DETAIL
from datasync.api.requests.files import ChosenFiles, DeleteFiles
from datasync.api.serializers.deletion import BatchImpact, DeletedFiles, DeleteImpact, batch_impact
from datasync.api.serializers.files import FileDetail
from datasync.catalog.deletion import Deletion, delete_files, restore_file
from datasync.catalog.impact import delete_impacts, impacts_of
from datasync.catalog.rights import may_delete_files
from datasync.catalog.selectors import file_by_id
from datasync.choices import RowsFate
from datasync.exceptions import (
    DataNotFound,
    FileBeingDeleted,
    FileBusy,
    FileChanged,
    FileMissing,
    FileNotFound,
    LimitedToShops,
    NotDeleted,
)
from erp.api.authentication import person_of
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated

BACKGROUND: dict[int, tuple[str, Any]] = {
    HTTPStatus.ACCEPTED: ("The rows are removed in the background", examples.BACKGROUND)
}


DELETING = (
    "For staff with the right to delete files. With `rows=delete` the rows that the file wrote last go, except those "
    "that a newer export has confirmed: they become that export's. A file that was deleted and left its rows can be "
    "deleted again with them."
)


class DeleteImpactView(APIView):
    """``GET /api/data-sync/files/{id}/delete-impact``"""

    @documented(
        name="get_delete_impact",
        summary="What would go if the file was deleted",
        tag="files",
        answer=DeleteImpact,
        example=examples.IMPACT,
        errors=(FileNotFound,),
    )
    def get(self, request: Request, file_id: int) -> Answer:
        sight = Sight.of(person_of(request))
        (impact,) = impacts_of([file_by_id(file_id, sight=sight)], sight=sight)
        return Answer(DeleteImpact(impact).data)


class BatchDeleteImpactView(APIView):
    """``POST /api/data-sync/files/batch-delete-impact``"""

    @documented(
        name="get_batch_delete_impact",
        summary="What would go if the files were deleted",
        tag="files",
        answer=BatchImpact,
        example=examples.BATCH_IMPACT,
        body=ChosenFiles,
        body_example={"file_ids": [17, 19]},
        errors=(DataNotFound,),
    )
    def post(self, request: Request) -> Answer:
        file_ids = validated(ChosenFiles, request.data)["file_ids"]
        impacts, missing = delete_impacts(file_ids, sight=Sight.of(person_of(request)))
        return Answer(BatchImpact(batch_impact(impacts, missing)).data)


class DeleteFilesView(APIView):
    """``DELETE /api/data-sync/files/batch``"""

    @documented(
        name="delete_files",
        summary="Delete files",
        notes=DELETING,
        tag="files",
        answer=DeletedFiles,
        example=examples.DELETED,
        body=DeleteFiles,
        body_example={"file_ids": [17], "rows": "delete", "dry_run": True},
        errors=(DataNotFound, FileBusy, LimitedToShops, PermissionDenied),
        other=BACKGROUND,
    )
    def delete(self, request: Request) -> Answer:
        actor = deleter_of(request)
        asked = validated(DeleteFiles, request.data)
        asked["rows"] = RowsFate(asked["rows"])
        return told(delete_files(actor=actor, sight=Sight.of(actor), **asked))


class RestoreView(APIView):
    """``POST /api/data-sync/files/{id}/restore``"""

    @documented(
        name="restore_file",
        summary="Bring a deleted file back",
        notes="For staff with the right to delete files. Rows that went with it come back by syncing it.",
        tag="files",
        answer=FileDetail,
        example=FILE_DETAIL | {"status": "pending"},
        changes=True,
        errors=(FileNotFound, NotDeleted, FileBeingDeleted, FileMissing, FileChanged, PermissionDenied),
    )
    def post(self, request: Request, file_id: int) -> Answer:
        actor = deleter_of(request)
        sight = Sight.of(actor)
        file = restore_file(file_id=file_id, actor=actor, sight=sight)
        return Answer(
            FileDetail(file_by_id(file.pk, sight=sight)).data, message=_("The file is back; it can be synced.")
        )


def deleter_of(request: Request) -> User:
    """Whoever is signed in, who has to have the right to delete files; raises ``PermissionDenied``."""
    person = person_of(request)
    if not may_delete_files(person):
        raise PermissionDenied
    return person


def told(deletion: Deletion) -> Answer:
    """200 when all is gone, 202 while a worker goes on."""
    count = len(deletion.impacts)
    if deletion.dry_run:
        message = ngettext("%(count)s file would be deleted.", "%(count)s files would be deleted.", count)
    else:
        message = ngettext("%(count)s file deleted.", "%(count)s files deleted.", count)
    message %= {"count": count}
    if not deletion.finished:
        message = f"{message} {_('Their rows are removed in the background.')}"
    status = HTTPStatus.OK if deletion.finished else HTTPStatus.ACCEPTED
    return Answer(DeletedFiles(deletion).data, message=message, status=status)
