"""The quarantine: look at rows that cannot be trusted, correct them, let them in or keep them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from django.http import FileResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.api.examples import quarantine as examples
from datasync.api.requests.quarantine import (
    CorrectionSheet,
    CorrectRow,
    CorrectRows,
    DiscardRows,
    ExportRowQuery,
    ListRowQuery,
    PagedRowQuery,
    ReleaseRows,
    RowQuery,
    filters_of,
)
from datasync.api.serializers.quarantine import (
    CorrectedRow,
    CorrectedRows,
    DiscardedRows,
    ImportedSheet,
    QuarantineFigures,
    QuarantineFile,
    ReleasedRows,
    RowDetail,
    RowSummary,
)
from datasync.choices import QUARANTINE_UNDECIDED
from datasync.exceptions import (
    CorruptFile,
    EmptyFile,
    EncryptedFile,
    FileBusy,
    FileChanged,
    FileNotFound,
    HeaderChanged,
    InvalidRequest,
    InvalidTimezone,
    NeedsDescription,
    NotAnExport,
    NoTemplate,
    RowDecided,
    RowNotFound,
    TaskNotFound,
    TooLarge,
    UnsafeFile,
    UnsupportedFormat,
    UnsureMapping,
)
from datasync.quarantine import export, figures, selectors, services
from datasync.quarantine.batches import Reached
from datasync.runs.selectors import may_see
from erp.api.authentication import person_of
from erp.api.pagination import cursor_page, paginate
from erp.api.parsers import BoundedMultiPartParser
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated

MOST_ROWS = 10_000
"""Rows that one request works on; the command has no such limit."""
_CHOOSING = (FileNotFound, TaskNotFound)
_REACHING = (*_CHOOSING, RowNotFound, FileBusy, FileChanged)
_UNREADABLE = (EmptyFile, UnsupportedFormat, CorruptFile, EncryptedFile, UnsafeFile, TooLarge)


class QuarantineView(APIView):
    """``GET /api/data-sync/quarantine``"""

    @documented(
        name="list_quarantine",
        summary="Rows that could not be trusted",
        notes="Numbered pages by default; with `cursor` pages that name the next one and count nothing.",
        tag="quarantine",
        answer=RowSummary,
        example=[examples.ROW],
        many=True,
        paged=True,
        query=ListRowQuery,
        errors=_CHOOSING,
    )
    def get(self, request: Request) -> Answer:
        query = validated(ListRowQuery, request.query_params)
        rows = selectors.rows(filters_of(query, user=person_of(request)))
        if "cursor" in query:
            ordering = ("file_id", "sheet_row", "id")
            page: Any = cursor_page(rows, ordering=ordering, page_size=query["page_size"], cursor=query["cursor"])
        else:
            page = paginate(rows, page=query.get("page", 1), page_size=query["page_size"])
        context = {"user": person_of(request)}
        return Answer(RowSummary(page.rows, many=True, context=context).data, page=page)


class QuarantinedRowView(APIView):
    """``GET`` and ``PATCH /api/data-sync/quarantine/{id}``"""

    @documented(
        name="get_quarantined_row",
        summary="One row with its cells, its corrections and its history",
        tag="quarantine",
        answer=RowDetail,
        example=examples.DETAIL,
        errors=(RowNotFound,),
    )
    def get(self, request: Request, row_id: int) -> Answer:
        return Answer(RowDetail(selectors.one(row_id), context={"user": person_of(request)}).data)

    @documented(
        name="correct_quarantined_row",
        summary="Say what cells of a row should hold",
        notes=(
            "Nothing is loaded. What equals the original is no correction. The answer says what is still wrong. "
            "`confirmed` lets stand what only the reader of the file doubted, such as a rounded number."
        ),
        tag="quarantine",
        answer=CorrectedRow,
        example=examples.CORRECTED,
        body=CorrectRow,
        body_example={"values": {"Deal Price": "12.50", "#7": None}},
        errors=(RowNotFound, RowDecided, FileBusy, FileChanged),
    )
    def patch(self, request: Request, row_id: int) -> Answer:
        asked = validated(CorrectRow, request.data)
        given = services.correct(
            row_id=row_id,
            given=asked.get("values", {}),
            confirmed=asked["confirmed"],
            actor=person_of(request),
            dry_run=asked["dry_run"],
        )
        data = CorrectedRow(given, context={"user": person_of(request)}).data
        return Answer(data, message=_nothing_changed(dry_run=asked["dry_run"]))


class CorrectRowsView(APIView):
    """``POST /api/data-sync/quarantine/correct``"""

    @documented(
        name="correct_quarantined_rows",
        summary="One correction for all rows with the same problem",
        notes=(
            "Rows of files without the column are skipped and counted; when none of the rows has it the request is "
            f"refused. At most {MOST_ROWS:,} rows a request."
        ),
        tag="quarantine",
        answer=CorrectedRows,
        example=examples.CORRECTED_ROWS,
        body=CorrectRows,
        body_example={
            "filter": {"file_id": 17}, "header": "Deal Price", "code": "INVALID_NUMBER", "value": "n/v",
            "replacement": "",
        },
        errors=_REACHING,
    )  # fmt: skip
    def post(self, request: Request) -> Answer:
        asked = validated(CorrectRows, request.data)
        result = services.correct_many(
            filters=_chosen(asked, request),
            header=asked["header"],
            replacement=asked["replacement"],
            code=asked.get("code", ""),
            value=asked.get("value"),
            actor=person_of(request),
            dry_run=asked["dry_run"],
        )
        told = {"corrected": result.corrected, "unchanged": result.unchanged, "skipped": result.skipped}
        message = ngettext("%(count)s row corrected.", "%(count)s rows corrected.", result.corrected)
        return _answer(CorrectedRows, told, result.reached, asked, message % {"count": f"{result.corrected:,}"})


class ImportCorrectionsView(APIView):
    """``POST /api/data-sync/quarantine/import``"""

    parser_classes = (BoundedMultiPartParser,)

    @documented(
        name="import_corrections",
        summary="Take the corrections of an exported sheet that has come back",
        notes="What differs from the stored row is a correction. Every row is counted by what became of it.",
        tag="quarantine",
        answer=ImportedSheet,
        example=examples.IMPORTED,
        body={"multipart/form-data": CorrectionSheet},
        errors=(NotAnExport, *_UNREADABLE),
    )
    def post(self, request: Request) -> Answer:
        asked = validated(CorrectionSheet, request.data)
        result = services.import_corrections(
            source=asked["file"].file, actor=person_of(request), dry_run=asked["dry_run"]
        )
        data = ImportedSheet(asdict(result) | {"dry_run": asked["dry_run"]}).data
        return Answer(data, message=_nothing_changed(dry_run=asked["dry_run"]))


class ReleaseRowsView(APIView):
    """``POST /api/data-sync/quarantine/release``"""

    @documented(
        name="release_rows",
        summary="Load rows, as far as they can be trusted now",
        notes=(
            "They are judged again under the current template and loaded by the same loader as a sync. Files that "
            f"cannot be worked on do not stop the others. At most {MOST_ROWS:,} rows a request."
        ),
        tag="quarantine",
        answer=ReleasedRows,
        example=examples.RELEASED,
        body=ReleaseRows,
        body_example={"ids": [311, 312]},
        errors=(*_REACHING, NoTemplate, UnsureMapping, HeaderChanged, NeedsDescription, InvalidTimezone),
    )
    def post(self, request: Request) -> Answer:
        asked = validated(ReleaseRows, request.data)
        result = services.release(
            filters=_chosen(asked, request), actor=person_of(request), note=asked["note"], dry_run=asked["dry_run"]
        )
        told = {
            "released": result.released,
            "outcomes": result.outcomes,
            "rejected": result.rejected,
            "kept": [asdict(one) for one in result.kept],
        }
        message = ngettext("%(count)s row released.", "%(count)s rows released.", result.released)
        return _answer(ReleasedRows, told, result.reached, asked, message % {"count": f"{result.released:,}"})


class DiscardRowsView(APIView):
    """``POST /api/data-sync/quarantine/discard``"""

    @documented(
        name="discard_rows",
        summary="Keep rows out",
        notes=(
            "A later sync of the file does not bring them back, as long as they stand in it unchanged. A fact that an "
            f"earlier export has stored of the same row stays. At most {MOST_ROWS:,} rows a request."
        ),
        tag="quarantine",
        answer=DiscardedRows,
        example=examples.DISCARDED,
        body=DiscardRows,
        body_example={"ids": [311, 312], "note": "Test orders of the marketplace."},
        errors=_REACHING,
    )
    def post(self, request: Request) -> Answer:
        asked = validated(DiscardRows, request.data)
        result = services.discard(
            filters=_chosen(asked, request), note=asked["note"], actor=person_of(request), dry_run=asked["dry_run"]
        )
        message = ngettext("%(count)s row discarded.", "%(count)s rows discarded.", result.discarded)
        told = {"discarded": result.discarded}
        return _answer(DiscardedRows, told, result.reached, asked, message % {"count": f"{result.discarded:,}"})


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
        errors=_CHOOSING,
    )
    def get(self, request: Request) -> FileResponse:
        query = validated(ExportRowQuery, request.query_params)
        user = person_of(request)
        rows = selectors.rows(filters_of(query, user=user))
        stream, name = export.spooled(rows, format=query["format"], shows_task=partial(may_see, user))
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return FileResponse(stream, as_attachment=True, filename=name, headers=headers)


class QuarantineStatsView(APIView):
    """``GET /api/data-sync/quarantine/stats``"""

    @documented(
        name="count_quarantine",
        summary="How many rows stand in quarantine",
        tag="quarantine",
        answer=QuarantineFigures,
        example=examples.FIGURES,
        query=RowQuery,
        errors=_CHOOSING,
    )
    def get(self, request: Request) -> Answer:
        query = validated(RowQuery, request.query_params)
        found = selectors.rows(filters_of(query, user=person_of(request)))
        return Answer(QuarantineFigures(figures.figures(found)).data)


class QuarantineFilesView(APIView):
    """``GET /api/data-sync/quarantine/files``"""

    @documented(
        name="list_quarantine_files",
        summary="Files with rows in quarantine",
        tag="quarantine",
        answer=QuarantineFile,
        example=[examples.FILE],
        many=True,
        paged=True,
        query=PagedRowQuery,
        errors=_CHOOSING,
    )
    def get(self, request: Request) -> Answer:
        query = validated(PagedRowQuery, request.query_params)
        found = selectors.rows(filters_of(query, user=person_of(request)))
        page = paginate(figures.files(found), page=query["page"], page_size=query["page_size"])
        return Answer(QuarantineFile(figures.told(list(page.rows), found), many=True).data, page=page)


def _chosen(asked: Mapping[str, Any], request: Request) -> selectors.Filters:
    """The rows to work on. Raises ``InvalidRequest`` when they are more than a request should work on."""
    filters = filters_of(asked.get("filter", {}), user=person_of(request), ids=asked.get("ids"))
    if "filter" in asked:
        count = selectors.rows(filters).filter(state__in=QUARANTINE_UNDECIDED).count()
        if count > MOST_ROWS:
            raise InvalidRequest(
                detail=_("%(count)s rows match, and %(most)s can be worked on at once; the command has no limit.")
                % {"count": f"{count:,}", "most": f"{MOST_ROWS:,}"}
            )
    return filters


def _answer(
    serializer: type[Any], told: Mapping[str, Any], reached: Reached, asked: Mapping[str, Any], message: str
) -> Answer:
    """What an act came to, and which rows it did not reach."""
    unreached = {
        "dry_run": asked["dry_run"],
        "already_decided": reached.decided,
        "missing_ids": reached.missing_ids,
        "busy_file_ids": reached.busy_file_ids,
        "refused_files": [{"file_id": pk, "error": error} for pk, error in reached.refused.items()],
    }
    return Answer(serializer({**unreached, **told}).data, message=_nothing_changed(dry_run=asked["dry_run"]) or message)


def _nothing_changed(*, dry_run: bool) -> str:
    return _("Nothing was changed.") if dry_run else ""
