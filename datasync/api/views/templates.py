"""Header templates: look, draft, change, throw away. A published version never changes; a correction is a new one."""

from __future__ import annotations

from http import HTTPStatus

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.api.examples import templates as examples
from datasync.api.requests.templates import TemplateBody, TemplateChanges, TemplateQuery
from datasync.api.serializers.templates import TemplateDetail, TemplateSummary
from datasync.choices import TemplateOrigin
from datasync.exceptions import InvalidRequest, KeyColumnMissing, TemplateNotDraft, TemplateNotFound
from datasync.mapping import services
from datasync.mapping.document import from_document
from datasync.mapping.template import InvalidTemplate
from datasync.mapping.versions import filter_templates, find_template, history, listed
from datasync.models import HeaderTemplate
from erp.api.authentication import staff_of
from erp.api.pagination import PagedQuery, paginate
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import all_represented, validated

INVALID = (InvalidTemplate, KeyColumnMissing, InvalidRequest)


class TemplatesView(APIView):
    """``GET`` and ``POST /api/data-sync/templates``"""

    @documented(
        name="list_templates",
        summary="Header templates, every version",
        tag="templates",
        answer=TemplateSummary,
        example=[examples.TEMPLATE],
        many=True,
        paged=True,
        query=TemplateQuery,
    )
    def get(self, request: Request) -> Answer:
        query = validated(TemplateQuery, request.query_params)
        found = filter_templates(HeaderTemplate.objects.all(), query)
        page = paginate(found, page=query["page"], page_size=query["page_size"], shown=listed)
        return Answer(all_represented(TemplateSummary, page.rows), page=page)

    @documented(
        name="create_template",
        summary="Make a draft",
        notes="It is the next version of its family and variant. Staff only.",
        tag="templates",
        answer=TemplateDetail,
        status=HTTPStatus.CREATED,
        example=examples.DRAFT_DETAIL,
        body=TemplateBody,
        body_example=examples.BODY,
        errors=(PermissionDenied, *INVALID),
    )
    def post(self, request: Request) -> Answer:
        actor = staff_of(request)
        asked = validated(TemplateBody, request.data)
        notes = asked.pop("notes", "")
        row = services.new_version(from_document(asked), origin=TemplateOrigin.OPERATOR, actor=actor, notes=notes)
        return drafted(row)


class TemplateView(APIView):
    """``GET``, ``PUT``, ``PATCH`` and ``DELETE /api/data-sync/templates/{id}``"""

    @documented(
        name="get_template",
        summary="One version of a template, with its columns",
        tag="templates",
        answer=TemplateDetail,
        example=examples.TEMPLATE_DETAIL,
        errors=(TemplateNotFound,),
    )
    def get(self, request: Request, template_id: int) -> Answer:  # noqa: ARG002 - DRF's signature
        return Answer(TemplateDetail(find_template(template_id)).data)

    @documented(
        name="replace_template",
        summary="Replace the content of a draft",
        notes="In another family or variant it gets the next version number there. Staff only.",
        tag="templates",
        answer=TemplateDetail,
        example=examples.DRAFT_DETAIL,
        body=TemplateBody,
        body_example=examples.BODY,
        errors=(PermissionDenied, TemplateNotFound, TemplateNotDraft, *INVALID),
    )
    def put(self, request: Request, template_id: int) -> Answer:
        actor = staff_of(request)
        asked = validated(TemplateBody, request.data)
        notes = asked.pop("notes", "")
        row = services.replace_draft(template_id, from_document(asked), actor=actor, notes=notes)
        return Answer(TemplateDetail(row).data)

    @documented(
        name="change_template",
        summary="Change parts of a draft",
        notes="What is not named stays; columns are replaced as a whole. Staff only.",
        tag="templates",
        answer=TemplateDetail,
        example=examples.DRAFT_DETAIL,
        body=TemplateChanges,
        body_example={"header_row": 1},
        errors=(PermissionDenied, TemplateNotFound, TemplateNotDraft, *INVALID),
    )
    def patch(self, request: Request, template_id: int) -> Answer:
        actor = staff_of(request)
        asked = validated(TemplateChanges, request.data)
        notes = asked.pop("notes", None)
        return Answer(TemplateDetail(services.change_draft(template_id, asked, actor=actor, notes=notes)).data)

    @documented(
        name="delete_template",
        summary="Throw a draft away",
        notes="Staff only.",
        tag="templates",
        errors=(PermissionDenied, TemplateNotFound, TemplateNotDraft),
        changes=True,
    )
    def delete(self, request: Request, template_id: int) -> Answer:
        services.delete_draft(template_id, actor=staff_of(request))
        return Answer(None, message=_("Deleted."))


class TemplateVersionsView(APIView):
    """``GET /api/data-sync/templates/{id}/versions``"""

    @documented(
        name="list_template_versions",
        summary="All versions and variants of a template's family",
        tag="templates",
        answer=TemplateSummary,
        example=[examples.TEMPLATE],
        many=True,
        paged=True,
        query=PagedQuery,
        errors=(TemplateNotFound,),
    )
    def get(self, request: Request, template_id: int) -> Answer:
        query = validated(PagedQuery, request.query_params)
        page = paginate(history(find_template(template_id)), **query, shown=listed)
        return Answer(all_represented(TemplateSummary, page.rows), page=page)


class NewVersionView(APIView):
    """``POST /api/data-sync/templates/{id}/new-version``"""

    @documented(
        name="copy_template",
        summary="Copy a template as a draft of the next version",
        notes="Staff only.",
        tag="templates",
        answer=TemplateDetail,
        status=HTTPStatus.CREATED,
        example=examples.DRAFT_DETAIL,
        errors=(PermissionDenied, TemplateNotFound, InvalidTemplate, KeyColumnMissing),
        changes=True,
    )
    def post(self, request: Request, template_id: int) -> Answer:
        actor = staff_of(request)
        return drafted(services.copy_as_draft(template_id, actor=actor))


def drafted(row: HeaderTemplate) -> Answer:
    """201 with a draft that was just made."""
    data = TemplateDetail(find_template(row.pk)).data
    return Answer(data, message=_("Made a draft; correct it and publish it."), status=HTTPStatus.CREATED)
