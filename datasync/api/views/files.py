"""The catalogue: what is there, what came in, and a look inside."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile as Upload
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import deletion as deletion_examples
from datasync.api.examples import files as file_examples
from datasync.api.examples import sync as examples
from datasync.api.filters import FileQuery, filter_files
from datasync.api.requests.files import DeleteQuery, DescribeFile
from datasync.api.requests.sync import PreviewOptions, Uploads
from datasync.api.serializers.deletion import DeletedFiles
from datasync.api.serializers.files import (
    DescribedFile,
    FileDetail,
    FileProfile,
    FileSummary,
    Refreshed,
    UploadedFile,
)
from datasync.api.serializers.mapping import Preview
from datasync.api.unreadable import AT_FIRST_SIGHT, OUT_OF_REACH, UNREADABLE
from datasync.api.views.deletion import BACKGROUND, DELETING, deleter_of, told
from datasync.catalog import selectors, services
from datasync.catalog.deletion import delete_file
from datasync.catalog.description import Description
from datasync.catalog.impact import count_stored
from datasync.catalog.preview import preview
from datasync.choices import RowsFate
from datasync.exceptions import FileBusy, FileNotFound, InvalidRequest, LimitedToShops, StorageAway, SyncError
from datasync.models import CatalogFile
from datasync.runs.errors import error_document
from erp.api.authentication import person_of
from erp.api.pagination import paginate
from erp.api.parsers import BoundedMultiPartParser
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import all_represented, validated


class FilesView(APIView):
    """``GET`` and ``POST /api/data-sync/files``"""

    parser_classes = (BoundedMultiPartParser,)

    @documented(
        name="list_files",
        summary="The catalogue",
        tag="files",
        answer=FileSummary,
        example=[examples.FILE],
        many=True,
        paged=True,
        query=FileQuery,
    )
    def get(self, request: Request) -> Answer:
        person = person_of(request)
        query = validated(FileQuery, request.query_params, user=person)
        found = filter_files(query, sight=Sight.of(person))
        page = paginate(found, page=query["page"], page_size=query["page_size"], shown=selectors.listed)
        return Answer(all_represented(FileSummary, page.rows), page=page)

    @documented(
        name="upload_files",
        summary="Upload files",
        tag="files",
        answer=UploadedFile,
        status=HTTPStatus.CREATED,
        example=[examples.UPLOADED],
        many=True,
        body={"multipart/form-data": Uploads},
        errors=(InvalidRequest, *AT_FIRST_SIGHT, StorageAway),
    )
    def post(self, request: Request) -> Answer:
        asked = validated(Uploads, request.data)
        uploads: list[Upload[Any]] = asked.pop("file")
        description = Description(**asked)
        outcomes = [_store(uploaded, description=description, actor=person_of(request)) for uploaded in uploads]
        failures = [outcome for outcome in outcomes if isinstance(outcome, SyncError)]
        if len(failures) == len(outcomes):
            raise failures[0]
        data = [_uploaded(uploaded, outcome) for uploaded, outcome in zip(uploads, outcomes, strict=True)]
        return Answer(UploadedFile(data, many=True).data, status=HTTPStatus.CREATED)


class FileView(APIView):
    """``GET``, ``PATCH`` and ``DELETE /api/data-sync/files/{id}``"""

    @documented(
        name="get_file",
        summary="One file",
        tag="files",
        answer=FileDetail,
        example=examples.FILE_DETAIL,
        errors=(FileNotFound,),
    )
    def get(self, request: Request, file_id: int) -> Answer:
        return Answer(FileDetail(selectors.file_by_id(file_id, sight=Sight.of(person_of(request)))).data)

    @documented(
        name="describe_file",
        summary="Correct what is known of a file",
        tag="files",
        answer=DescribedFile,
        example=file_examples.DESCRIBED,
        body=DescribeFile,
        body_example={"shop_id": "sg-2", "period_start": "2026-03-05", "period_end": "2026-03-05"},
        errors=(FileNotFound, FileBusy, InvalidRequest),
    )
    def patch(self, request: Request, file_id: int) -> Answer:
        asked, person = validated(DescribeFile, request.data), person_of(request)
        sight = Sight.of(person)
        file = services.describe_file(selectors.file_by_id(file_id, sight=sight), actor=person, sight=sight, **asked)
        rows = count_stored(file)
        message = ""
        if rows:
            message = _(
                "Described. Rows that are stored already stay under the old description until the file is synced again."
            )
        return Answer(DescribedFile(file, context={"stored_rows": rows}).data, message=message)

    @documented(
        name="delete_file",
        summary="Delete a file",
        notes=DELETING,
        tag="files",
        answer=DeletedFiles,
        example=deletion_examples.DELETED,
        query=DeleteQuery,
        changes=True,
        errors=(FileNotFound, FileBusy, LimitedToShops, PermissionDenied),
        other=BACKGROUND,
    )
    def delete(self, request: Request, file_id: int) -> Answer:
        actor = deleter_of(request)
        asked = validated(DeleteQuery, request.query_params)
        rows, dry_run = RowsFate(asked["rows"]), asked["dry_run"]
        return told(delete_file(file_id=file_id, rows=rows, actor=actor, sight=Sight.of(actor), dry_run=dry_run))


class ProfileView(APIView):
    """``GET /api/data-sync/files/{id}/profile``"""

    @documented(
        name="get_file_profile",
        summary="What the columns of a file hold",
        tag="files",
        answer=FileProfile,
        example=file_examples.PROFILE,
        errors=(FileNotFound, *OUT_OF_REACH, *UNREADABLE),
    )
    def get(self, request: Request, file_id: int) -> Answer:
        file = selectors.file_by_id(file_id, sight=Sight.of(person_of(request)))
        return Answer(FileProfile(services.profiled(file)).data)


class RefreshView(APIView):
    """``POST /api/data-sync/files/refresh``"""

    @documented(
        name="refresh_files",
        summary="Scan the configured folders",
        notes="For whoever is not limited to some shops.",
        tag="files",
        answer=Refreshed,
        example=examples.REFRESHED,
        changes=True,
        errors=(LimitedToShops,),
    )
    def post(self, request: Request) -> Answer:
        person = person_of(request)
        result = services.scan(actor=person, sight=Sight.of(person))
        message = ngettext("%(count)s new file.", "%(count)s new files.", result.new) % {"count": result.new}
        return Answer(Refreshed(result).data, message=message)


class PreviewView(APIView):
    """``POST /api/data-sync/preview``"""

    @documented(
        name="preview_file",
        summary="Look into a file before it is synced",
        tag="files",
        answer=Preview,
        example=examples.PREVIEW,
        body=PreviewOptions,
        body_example={"file_id": 17, "header_row": 1},
        errors=(FileNotFound, *OUT_OF_REACH, *UNREADABLE),
    )
    def post(self, request: Request) -> Answer:
        asked = validated(PreviewOptions, request.data)
        file = selectors.file_by_id(asked["file_id"], sight=Sight.of(person_of(request)))
        return Answer(Preview(preview(file, header_row=asked["header_row"])).data)


def _store(uploaded: Upload[Any], *, description: Description, actor: User) -> CatalogFile | SyncError:
    """One bad file of several does not lose the others."""
    try:
        return services.store_upload(uploaded=uploaded, description=description, actor=actor, sight=Sight.of(actor))
    except SyncError as error:
        return error


def _uploaded(uploaded: Upload[Any], outcome: CatalogFile | SyncError) -> dict[str, Any]:
    if isinstance(outcome, SyncError):
        return {"name": uploaded.name, "file": None, "error": error_document(outcome)}
    return {"name": uploaded.name, "file": outcome, "error": None}
