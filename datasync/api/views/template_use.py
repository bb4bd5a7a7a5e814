"""Templates in use: publish, archive, suggest, compare, export, import; and the files that waited look again."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import templates as examples
from datasync.api.requests.templates import (
    CompareOptions,
    DryRun,
    ExportQuery,
    ImportOptions,
    RecheckOptions,
    SuggestOptions,
)
from datasync.api.serializers.templates import (
    Archival,
    Comparison,
    ExportedTemplate,
    ImportedTemplate,
    Publication,
    Rechecked,
    Suggested,
)
from datasync.api.unreadable import OUT_OF_REACH, UNREADABLE
from datasync.api.views.templates import INVALID
from datasync.catalog.selectors import file_by_id
from datasync.exceptions import (
    FileNotFound,
    HeaderUnknown,
    KeyColumnMissing,
    LimitedToShops,
    NeedsDescription,
    NoTemplate,
    TemplateNotDraft,
    TemplateNotFound,
    TemplateOutdated,
)
from datasync.mapping import services
from datasync.mapping.compare import compare_templates, compare_with_file
from datasync.mapping.suggestions import hindrance
from datasync.mapping.template import InvalidTemplate
from datasync.mapping.versions import exported, find_template
from erp.api.authentication import person_of, staff_of
from erp.api.parsers import BoundedMultiPartParser
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated


class PublishTemplateView(APIView):
    """``POST /api/data-sync/templates/{id}/publish``"""

    @documented(
        name="publish_template",
        summary="Publish a draft",
        notes="It replaces the published version of its variant, unless that is newer; files that waited for it become "
        "pending. Staff only.",
        tag="templates",
        answer=Publication,
        example=examples.PUBLICATION,
        body=DryRun,
        body_example={"dry_run": True},
        errors=(
            PermissionDenied,
            LimitedToShops,
            TemplateNotFound,
            TemplateNotDraft,
            TemplateOutdated,
            InvalidTemplate,
            KeyColumnMissing,
        ),
    )
    def post(self, request: Request, template_id: int) -> Answer:
        actor = staff_of(request)
        sight = Sight.of(actor)
        dry_run = validated(DryRun, request.data)["dry_run"]
        if dry_run:
            done, message = services.publishing_of(template_id, sight=sight), _("Nothing was changed.")
        else:
            done, message = services.publish_draft(template_id, actor=actor, sight=sight), _("Published.")
        told = {"dry_run": dry_run, "template": done.template, "archived": done.archived}
        told |= {"files": done.files, "losing": done.losing, "deferred": done.deferred}
        return Answer(Publication(told).data, message=message)


class ArchiveTemplateView(APIView):
    """``POST /api/data-sync/templates/{id}/archive``"""

    @documented(
        name="archive_template",
        summary="Take a template out of use",
        notes="Rows that were read with it stay; files still to be synced get another variant, or wait. Staff only.",
        tag="templates",
        answer=Archival,
        example=examples.ARCHIVAL,
        body=DryRun,
        body_example={"dry_run": True},
        errors=(PermissionDenied, LimitedToShops, TemplateNotFound),
    )
    def post(self, request: Request, template_id: int) -> Answer:
        actor = staff_of(request)
        sight = Sight.of(actor)
        dry_run = validated(DryRun, request.data)["dry_run"]
        if dry_run:
            done, message = services.archiving_of(template_id, sight=sight), _("Nothing was changed.")
        else:
            done, message = services.archive_template(template_id, actor=actor, sight=sight), _("Archived.")
        told = {"pending_files": done.pending_files, "rematched": done.rematched, "deferred": done.deferred}
        told["other_variants"] = done.other_variants
        data = {"dry_run": dry_run, "template": find_template(template_id)} | told
        return Answer(Archival(data).data, message=message)


class SuggestTemplateView(APIView):
    """``POST /api/data-sync/templates/suggest``"""

    @documented(
        name="suggest_template",
        summary="Suggest a mapping for a file's header, and publish it if asked to",
        notes="Only staff may publish.",
        tag="templates",
        answer=Suggested,
        example=examples.SUGGESTED,
        body=SuggestOptions,
        body_example={"file_id": 17},
        errors=(
            PermissionDenied, LimitedToShops, FileNotFound, *OUT_OF_REACH, *UNREADABLE, NoTemplate, NeedsDescription,
            InvalidTemplate, KeyColumnMissing,
        ),
    )  # fmt: skip
    def post(self, request: Request) -> Answer:
        actor = person_of(request)
        asked = validated(SuggestOptions, request.data)
        if asked["publish"]:
            actor = staff_of(request)
        sight = Sight.of(actor)
        file = file_by_id(asked["file_id"], sight=sight)
        services.suggest_for_file(file)
        suggestion, error, template = file.suggestion, hindrance(file), None
        if asked["publish"]:
            template = services.publish_suggestion(file, actor=actor, sight=sight)
        data = {"file_id": file.pk, "suggested_mapping": suggestion, "template": template}
        return Answer(Suggested(data | {"hindrance": error.document if error else None}).data)


class CompareTemplatesView(APIView):
    """``POST /api/data-sync/templates/compare``"""

    @documented(
        name="compare_template",
        summary="Compare a template with another, or with a file",
        notes="The file is not read: its header and values are those that the catalogue holds.",
        tag="templates",
        answer=Comparison,
        example=examples.COMPARISON,
        body=CompareOptions,
        body_example={"template_id": 3, "other_id": 9},
        errors=(TemplateNotFound, FileNotFound, HeaderUnknown),
    )
    def post(self, request: Request) -> Answer:
        asked = validated(CompareOptions, request.data)
        before = find_template(asked["template_id"])
        if "file_id" in asked:
            found = compare_with_file(before, file_by_id(asked["file_id"], sight=Sight.of(person_of(request))))
        else:
            found = compare_templates(before, find_template(asked["other_id"]))
        return Answer(Comparison(found.as_dict()).data)


class ExportTemplateView(APIView):
    """``GET /api/data-sync/templates/{id}/export``"""

    @documented(
        name="export_template",
        summary="A template as a file that can be reviewed, committed and imported",
        notes="TOML by default; `format=json` puts the text into the envelope.",
        tag="templates",
        answer=ExportedTemplate,
        example=examples.EXPORTED,
        query=ExportQuery,
        downloads={"application/toml": "The template file."},
        errors=(TemplateNotFound,),
    )
    def get(self, request: Request, template_id: int) -> Answer | HttpResponse:
        chosen = validated(ExportQuery, request.query_params)["format"]
        row = find_template(template_id)
        file_name, text = exported(row)
        if chosen == "json":
            return Answer(ExportedTemplate({"template_id": row.pk, "file_name": file_name, "text": text}).data)
        headers = {"Content-Disposition": f'attachment; filename="{file_name}"', "X-Content-Type-Options": "nosniff"}
        return HttpResponse(text.encode(), content_type="application/toml; charset=utf-8", headers=headers)


class ImportTemplatesView(APIView):
    """``POST /api/data-sync/templates/import``"""

    parser_classes = (BoundedMultiPartParser,)

    @documented(
        name="import_templates",
        summary="Make a new version of each template of a file",
        notes="All or none; what says the same as the published version is left. Staff only.",
        tag="templates",
        answer=ImportedTemplate,
        example=[examples.IMPORTED],
        many=True,
        body={"multipart/form-data": ImportOptions},
        errors=(PermissionDenied, LimitedToShops, *INVALID),
    )
    def post(self, request: Request) -> Answer:
        actor = staff_of(request)
        asked = validated(ImportOptions, request.data)
        file, dry_run = asked["file"], asked["dry_run"]
        templates = services.read_templates(file.read(), where=file.name or "template")
        imported = services.import_templates(
            templates, actor=actor, sight=Sight.of(actor), publish_now=asked["publish"], dry_run=dry_run
        )
        message = ngettext("%(count)s template imported.", "%(count)s templates imported.", len(imported))
        if dry_run:
            message = _("Nothing was changed.")
        return Answer(ImportedTemplate(imported, many=True).data, message=message % {"count": len(imported)})


class RecheckView(APIView):
    """``POST /api/data-sync/files/recheck``"""

    @documented(
        name="recheck_files",
        summary="Let files that wait for a template look again",
        notes="The first few hundred at once, the rest by a worker; files that are named, all at once.",
        tag="files",
        answer=Rechecked,
        example=examples.RECHECKED,
        body=RecheckOptions,
        body_example={"platform": "shopee", "dry_run": True},
    )
    def post(self, request: Request) -> Answer:
        asked = validated(RecheckOptions, request.data)
        result = services.recheck_soon(sight=Sight.of(person_of(request)), **asked)
        count = result.matched
        message = ngettext("%(count)s file got a template.", "%(count)s files got a template.", count)
        if asked["dry_run"]:
            message = _("Nothing was changed.")
        return Answer(Rechecked(result).data, message=message % {"count": count})
