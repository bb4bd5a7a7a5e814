"""Importing a template file: first what it would make, then the decision."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.admin.base import error_text, grid, link, operator
from datasync.admin.sight import sight_of
from datasync.exceptions import SyncError
from datasync.mapping import services
from datasync.mapping.loading import ImportAction, Imported
from datasync.mapping.template_file import MOST_TEMPLATE_BYTES

_WORDS = {
    ImportAction.PUBLISHED: gettext_lazy("published"),
    ImportAction.DRAFTED: gettext_lazy("made a draft"),
    ImportAction.UNCHANGED: gettext_lazy("says the same as the published version"),
}
_ACTS = {"draft": False, "publish": True}


class TemplateFile(forms.Form):
    """A template file, or the text that was shown before."""

    file = forms.FileField(label=gettext_lazy("template file"), required=False)
    name = forms.CharField(required=False, max_length=255, widget=forms.HiddenInput)
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def clean_file(self) -> UploadedFile[Any] | None:
        """A template is a page or two of text."""
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file is not None and (file.size is None or file.size > MOST_TEMPLATE_BYTES):
            raise ValidationError(_("A template file has at most 1 MB."))
        return file

    def clean(self) -> dict[str, Any]:
        """One of the two has to be there."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("file") and not cleaned.get("text"):
            self.add_error("file", _("Choose a file."))
        return cleaned

    def content(self) -> tuple[bytes, str]:
        """The bytes and the name under which they came."""
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file is not None:
            return file.read(), file.name or "template"
        return str(self.cleaned_data["text"]).encode(), self.cleaned_data["name"] or "template"


class TemplateImport:
    """For the page of header templates."""

    admin_site: Any
    opts: Any

    def has_import_permission(self, request: HttpRequest) -> bool:
        """A file's templates can be published at once, for the files of all shops."""
        return bool(self.has_add_permission(request)) and not sight_of(request).limited  # type: ignore[attr-defined]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file; show what it would make; make it."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = TemplateFile(request.POST, request.FILES) if request.method == "POST" else TemplateFile()
        context: dict[str, Any] = {"form": form}
        if form.is_bound and form.is_valid():
            content, name = form.content()
            try:
                imported = _import(request, content, name)
                if imported is None:
                    return HttpResponseRedirect(reverse("admin:datasync_headertemplate_changelist"))
                context |= {"table": imported, "text": content.decode("utf-8-sig"), "name": name}
            except SyncError as error:
                context["error"] = error_text(error.document)
        context |= {**self.admin_site.each_context(request), "title": _("Import a template file"), "opts": self.opts}
        return TemplateResponse(request, "admin/datasync/template_import.html", context)


def _import(request: HttpRequest, content: bytes, name: str) -> SafeString | str | None:
    """What a file would make, as a table; None once it was made."""
    chosen = next((act for act in _ACTS if act in request.POST), None)
    imported = services.import_templates(
        services.read_templates(content, where=name),
        actor=operator(request),
        sight=sight_of(request),
        publish_now=_ACTS[chosen] if chosen else False,
        dry_run=chosen is None,
    )
    if chosen is None:
        return grid((_("template"), _("what it would be")), ((one.name, _planned(one)) for one in imported))
    for one in imported:
        messages.success(request, format_html("{}: {}", link(one.row, one.name), _WORDS[one.action]))
    return None


def _planned(one: Imported) -> str:
    return str(_WORDS[one.action]) if one.action is ImportAction.UNCHANGED else _("a new version")
