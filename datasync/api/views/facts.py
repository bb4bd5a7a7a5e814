"""Facts: the clean rows in pages or as CSV, and where each comes from."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import facts as examples
from datasync.api.requests.facts import LAST_NUMBERED_ROW, FactQuery, filters_of
from datasync.api.serializers.facts import FactDetail, FactLineage, FactRow
from datasync.exceptions import DomainNotFound, FactNotFound
from datasync.facts.columns import Column, chosen_columns, columns_of, document, document_of, model_of
from datasync.facts.export import Export, csv_stream
from datasync.facts.filters import matching
from datasync.facts.lineage import lineage_of
from datasync.facts.selectors import ORDERINGS, find, in_order, order_of, with_columns
from erp.api.authentication import person_of
from erp.api.pagination import CursorPage, Page, page_after, paginate, read_cursor
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated


class FactsView(APIView):
    """``GET /api/data-sync/facts/{domain}``"""

    @documented(
        name="list_facts",
        summary="The facts of a domain",
        notes=(
            "Cursor pages by default; `page` asks for a numbered one and gets the pagination of numbered pages, whose "
            f"`total` is counted up to {LAST_NUMBERED_ROW:,}. `format=csv` streams every row: no envelope, times in "
            "UTC; a download that breaks off is not complete."
        ),
        tag="facts",
        answer=FactRow,
        example=[examples.FACT],
        many=True,
        paged=True,
        cursors=True,
        query=FactQuery,
        downloads={"text/csv": "Every row that matches, with a header."},
        errors=(DomainNotFound,),
    )
    def get(self, request: Request, domain: str) -> Answer | StreamingHttpResponse:
        model_of(domain)
        query = validated(FactQuery, request.query_params, domain=domain)
        sight = Sight.of(person_of(request))
        if query["format"] == "csv":
            return _csv(domain, query, sight)
        columns = chosen_columns(domain, query.get("fields", ()))
        read = _numbered_page if "page" in query else _cursor_page
        page = read(domain, query, columns, sight)
        return Answer([document(row, columns, raw=query["raw"]) for row in page.rows], page=page)


class FactView(APIView):
    """``GET /api/data-sync/facts/{domain}/{record_key}``"""

    @documented(
        name="get_fact",
        summary="One fact, its original row and where it comes from",
        tag="facts",
        answer=FactDetail,
        example=examples.FACT_DETAIL,
        errors=(DomainNotFound, FactNotFound),
    )
    def get(self, request: Request, domain: str, record_key: str) -> Answer:
        sight = Sight.of(person_of(request))
        fact = find(domain, record_key, sight=sight)
        lineage = lineage_of(fact, sight=sight)
        told = {"fact": document_of(fact, columns_of(domain).values()), "raw": lineage.raw}
        return Answer(told | {"lineage": FactLineage(lineage).data})


def _cursor_page(domain: str, query: dict[str, Any], columns: tuple[Column, ...], sight: Sight) -> CursorPage:
    name = query.get("ordering", "key")
    ordering = ORDERINGS[name]
    after = read_cursor(query.get("cursor"), model=model_of(domain), ordering=ordering)
    parts = in_order(domain, filters_of(query), ordering=name, sight=sight, after=after)
    rows = [with_columns(part, columns, raw=query["raw"]) for part in parts]
    return page_after(rows, ordering=ordering, after=after, page_size=query["page_size"])


def _numbered_page(domain: str, query: dict[str, Any], columns: tuple[Column, ...], sight: Sight) -> Page:
    rows = matching(domain, filters_of(query), sight=sight).order_by(*order_of(query.get("ordering", "key")))
    listed = with_columns(rows, columns, raw=query["raw"])[:LAST_NUMBERED_ROW]
    return paginate(listed, page=query["page"], page_size=query["page_size"])


def _csv(domain: str, query: dict[str, Any], sight: Sight) -> StreamingHttpResponse:
    """All rows. The first are there before the answer begins, so that what fails early is told as an error."""
    export = Export(
        domain=domain,
        sight=sight,
        filters=filters_of(query),
        fields=query.get("fields", ()),
        ordering=query.get("ordering"),
        raw=query["raw"],
        bom=query["bom"],
    )
    name = f"{domain}-{timezone.now():%Y%m%d-%H%M%S}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    headers |= {"Cache-Control": "no-store"}
    return StreamingHttpResponse(csv_stream(export), content_type="text/csv; charset=utf-8", headers=headers)
