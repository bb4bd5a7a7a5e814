"""The catalogue: what is there, what came in, and a look inside."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile as Upload
from django.utils.translation import ngettext
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.api.examples import sync as examples
from datasync.api.filters import FileQuery, filter_files
from datasync.api.requests.sync import PreviewOptions, Uploads
from datasync.api.serializers.files import FileDetail, FileSummary, Refreshed, UploadedFile
from datasync.api.serializers.mapping import Preview
from datasync.catalog import selectors, services
from datasync.catalog.description import Description
from datasync.catalog.preview import preview
from datasync.exceptions import (
    CorruptFile,
    EncryptedFile,
    FileMissing,
    FileNotFound,
    SyncError,
    TooLarge,
    UnsafeFile,
    UnsupportedFormat,
)
from datasync.models import CatalogFile
from datasync.runs.errors import error_document
from erp.api.authentication import person_of
from erp.api.pagination import paginate
from erp.api.parsers import BoundedMultiPartParser
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated

_UNREADABLE = (UnsupportedFormat, CorruptFile, EncryptedFile, UnsafeFile, TooLarge)


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
        query = validated(FileQuery, request.query_params)
        files = filter_files(selectors.files(), query)
        page = paginate(files, page=query["page"], page_size=query["page_size"])
        return Answer(FileSummary(page.rows, many=True).data, page=page)

    @documented(
        name="upload_files",
        summary="Upload files",
        tag="files",
        answer=UploadedFile,
        status=HTTPStatus.CREATED,
        example=[examples.UPLOADED],
        many=True,
        body={"multipart/form-data": Uploads},
        errors=_UNREADABLE,
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
    """``GET /api/data-sync/files/{id}``"""

    @documented(
        name="get_file",
        summary="One file",
        tag="files",
        answer=FileDetail,
        example=examples.FILE_DETAIL,
        errors=(FileNotFound,),
    )
    def get(self, request: Request, file_id: int) -> Answer:  # noqa: ARG002 - DRF's signature
        return Answer(FileDetail(_file(file_id)).data)


class RefreshView(APIView):
    """``POST /api/data-sync/files/refresh``"""

    @documented(
        name="refresh_files",
        summary="Scan the configured folders",
        tag="files",
        answer=Refreshed,
        example=examples.REFRESHED,
        changes=True,
    )
    def post(self, request: Request) -> Answer:
        result = services.scan(actor=person_of(request))
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
        errors=(FileNotFound, FileMissing, *_UNREADABLE),
    )
    def post(self, request: Request) -> Answer:
        asked = validated(PreviewOptions, request.data)
        return Answer(Preview(preview(_file(asked["file_id"]), header_row=asked["header_row"])).data)


def _file(file_id: int) -> CatalogFile:
    file = selectors.files().filter(pk=file_id).first()
    if file is None:
        raise FileNotFound(what=file_id)
    return file


def _store(uploaded: Upload[Any], *, description: Description, actor: User) -> CatalogFile | SyncError:
    """One bad file of several does not lose the others."""
    try:
        return services.store_upload(uploaded=uploaded, description=description, actor=actor)
    except SyncError as error:
        return error


def _uploaded(uploaded: Upload[Any], outcome: CatalogFile | SyncError) -> dict[str, Any]:
    if isinstance(outcome, SyncError):
        return {"name": uploaded.name, "file": None, "error": error_document(outcome)}
    return {"name": uploaded.name, "file": outcome, "error": None}
