"""Archives of files and rows: asked for, watched, downloaded."""

from __future__ import annotations

from http import HTTPStatus

from django.http import FileResponse
from django.utils.translation import gettext as _
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import exports as examples
from datasync.api.requests.exports import DownloadQuery, NewExport
from datasync.api.serializers.exports import Export, RequestedExport
from datasync.choices import ExportKind
from datasync.exceptions import DataNotFound, TooLarge
from datasync.exports import services
from datasync.exports.exceptions import ExportNotFound, LinkExpired
from erp.api.authentication import person_of
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated


class ExportsView(APIView):
    """``POST /api/data-sync/exports``"""

    @documented(
        name="request_export",
        summary="Have an archive of files made",
        tag="exports",
        answer=RequestedExport,
        status=HTTPStatus.ACCEPTED,
        example=examples.REQUESTED,
        body=NewExport,
        body_example={"file_ids": [17, 18, 19], "what": "cleaned"},
        errors=(DataNotFound, TooLarge),
    )
    def post(self, request: Request) -> Answer:
        asked, person = validated(NewExport, request.data), person_of(request)
        requested = services.request_export(
            file_ids=asked["file_ids"], what=ExportKind(asked["what"]), owner=person, sight=Sight.of(person)
        )
        context = {"person_id": person.pk, "missing_file_ids": requested.missing_file_ids}
        shown = RequestedExport(requested.archive, context=context)
        return Answer(shown.data, status=HTTPStatus.ACCEPTED, message=_("The archive is made in the background."))


class ExportView(APIView):
    """``GET /api/data-sync/exports/{id}``"""

    @documented(
        name="get_export",
        summary="How far an archive is, and its download link",
        tag="exports",
        answer=Export,
        example=examples.READY,
        errors=(ExportNotFound,),
    )
    def get(self, request: Request, export_id: int) -> Answer:
        person = person_of(request)
        archive = services.export_for(person, export_id)
        return Answer(Export(archive, context={"person_id": person.pk}).data)


class DownloadView(APIView):
    """``GET /api/data-sync/exports/{id}/download``"""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @documented(
        name="download_export",
        summary="Download an archive",
        notes=(
            "The answer is the ZIP itself, without the envelope. The link is enough: it needs no sign-in, so that it "
            "can be handed to a download manager. It is signed, for this archive alone, and expires; keep it secret "
            "until then. It is gone before that where the person who got it may not see the archive any more."
        ),
        public=True,
        tag="exports",
        query=DownloadQuery,
        downloads={"application/zip": "The archive."},
        errors=(LinkExpired,),
    )
    def get(self, request: Request, export_id: int) -> FileResponse:
        found = services.download(export_id, validated(DownloadQuery, request.query_params)["token"])
        response = FileResponse(
            found.path.open("rb"), as_attachment=True, filename=found.name, content_type="application/zip"
        )
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response
