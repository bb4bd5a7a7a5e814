"""The quarantine: look at rows that cannot be trusted, and say what the cells of one should hold."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import quarantine as examples
from datasync.api.requests.quarantine import CorrectRow, ListRowQuery, PagedRowQuery, RowQuery, filters_of
from datasync.api.serializers.quarantine import CorrectedRow, QuarantineFigures, QuarantineFile, RowDetail, RowSummary
from datasync.api.views.quarantine_decisions import CHOOSING, nothing_changed
from datasync.exceptions import FileBusy, FileChanged, RowDecided, RowNotFound
from datasync.quarantine import figures, selectors, services
from erp.api.authentication import person_of
from erp.api.pagination import cursor_page, paginate
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated


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
        cursors=True,
        query=ListRowQuery,
        errors=CHOOSING,
    )
    def get(self, request: Request) -> Answer:
        query, person = validated(ListRowQuery, request.query_params), person_of(request)
        rows = selectors.rows(filters_of(query, user=person), sight=Sight.of(person))
        if "cursor" in query:
            ordering = ("file_id", "sheet_row", "id")
            page: Any = cursor_page(
                selectors.listed(rows), ordering=ordering, page_size=query["page_size"], cursor=query["cursor"]
            )
        else:
            page = paginate(rows, page=query.get("page", 1), page_size=query["page_size"], shown=selectors.listed)
        return Answer(RowSummary(page.rows, many=True, context={"user": person}).data, page=page)


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
        person = person_of(request)
        row = selectors.one(row_id, sight=Sight.of(person))
        return Answer(RowDetail(row, context={"user": person}).data)

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
        asked, person = validated(CorrectRow, request.data), person_of(request)
        given = services.correct(
            row_id=row_id,
            given=asked.get("values", {}),
            confirmed=asked["confirmed"],
            actor=person,
            sight=Sight.of(person),
            dry_run=asked["dry_run"],
        )
        data = CorrectedRow(given, context={"user": person}).data
        return Answer(data, message=nothing_changed(dry_run=asked["dry_run"]))


class QuarantineStatsView(APIView):
    """``GET /api/data-sync/quarantine/stats``"""

    @documented(
        name="count_quarantine",
        summary="How many rows stand in quarantine",
        tag="quarantine",
        answer=QuarantineFigures,
        example=examples.FIGURES,
        query=RowQuery,
        errors=CHOOSING,
    )
    def get(self, request: Request) -> Answer:
        query, person = validated(RowQuery, request.query_params), person_of(request)
        found = selectors.rows(filters_of(query, user=person), sight=Sight.of(person))
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
        errors=CHOOSING,
    )
    def get(self, request: Request) -> Answer:
        query, person = validated(PagedRowQuery, request.query_params), person_of(request)
        found = selectors.rows(filters_of(query, user=person), sight=Sight.of(person))
        page = paginate(figures.files(found), page=query["page"], page_size=query["page_size"])
        return Answer(QuarantineFile(figures.told(list(page.rows), found), many=True).data, page=page)
