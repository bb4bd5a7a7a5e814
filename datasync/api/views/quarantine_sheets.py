"""Quarantined rows as sheets: exported with their reasons, and taken back with corrections."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

from django.http import FileResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight, may_see
from datasync.api.examples import quarantine as examples
from datasync.api.requests.quarantine import CorrectionSheet, ExportRowQuery, filters_of
from datasync.api.serializers.quarantine import ImportedSheet
from datasync.api.unreadable import UNREADABLE
from datasync.api.views.quarantine_decisions import CHOOSING, nothing_changed
from datasync.exceptions import CorrectionsRefused, NotAnExport
from datasync.quarantine import export, selectors, services
from erp.api.authentication import person_of
from erp.api.parsers import BoundedMultiPartParser
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated


class ExportRowsView(APIView):
    """``GET /api/data-sync/quarantine/export``"""

    @documented(
        name="export_quarantine",
        summary="Rows with their reasons as a sheet that can be corrected and imported",
        notes=(
            "A workbook keeps long numbers and leading zeros whole; rows of files with one header also go as CSV. At "
            f"most {export.MOST_DOWNLOADED:,} rows; the command has no limit."
        ),
        tag="quarantine",
        query=ExportRowQuery,
        downloads={
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "A sheet for each header.",
            "text/csv": "Rows under one header.",
        },
        errors=CHOOSING,
    )
    def get(self, request: Request) -> FileResponse:
        query = validated(ExportRowQuery, request.query_params)
        user = person_of(request)
        sight = Sight.of(user)
        rows = selectors.rows(filters_of(query, user=user), sight=sight)
        stream, name = export.spooled(rows, format=query["format"], shows_task=partial(may_see, user, sight=sight))
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return FileResponse(stream, as_attachment=True, filename=name, headers=headers)


class ImportCorrectionsView(APIView):
    """``POST /api/data-sync/quarantine/import``"""

    parser_classes = (BoundedMultiPartParser,)

    @documented(
        name="import_corrections",
        summary="Take the corrections of an exported sheet that has come back",
        notes=(
            "What differs from the stored row is a correction. All of them are taken or, where a row of the sheet "
            "cannot be, none: the error names such rows, and with `dry_run` the answer says what would become of each."
        ),
        tag="quarantine",
        answer=ImportedSheet,
        example=examples.IMPORTED,
        body={"multipart/form-data": CorrectionSheet},
        errors=(NotAnExport, CorrectionsRefused, *UNREADABLE),
    )
    def post(self, request: Request) -> Answer:
        asked, person = validated(CorrectionSheet, request.data), person_of(request)
        result = services.import_corrections(
            source=asked["file"].file, actor=person, sight=Sight.of(person), dry_run=asked["dry_run"]
        )
        data = ImportedSheet(asdict(result) | {"dry_run": asked["dry_run"]}).data
        return Answer(data, message=nothing_changed(dry_run=asked["dry_run"]))
