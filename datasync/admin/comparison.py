"""Two templates, or a template and a file, compared: the verdict, the match rate, and whatever differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import Sight
from datasync.admin.base import NOTHING, error_text, grid, pairs_table
from datasync.admin.sight import sight_of, within
from datasync.exceptions import SyncError, TemplateNotFound
from datasync.mapping.compare import Comparison, compare_templates, compare_with_file
from datasync.mapping.rematch import files_of
from datasync.mapping.store import family_of
from datasync.mapping.versions import find_template
from datasync.models import CatalogFile, HeaderTemplate

_OFFERED = 50
_VERDICTS = {
    "synced": gettext_lazy("it is synced"),
    "noted": gettext_lazy("it is synced, with a note of what differs"),
    "blocked": gettext_lazy("it is blocked until the template is updated"),
    "unrelated": gettext_lazy("it is not taken for an export of this template"),
}


class FileChoice(forms.Form):
    """A file of the template's family that is in sight, one of the newest."""

    file = forms.ModelChoiceField(label=gettext_lazy("file"), queryset=CatalogFile.objects.none())

    def __init__(self, *args: Any, template: HeaderTemplate, sight: Sight, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seen = within(files_of(family_of(template)), sight)
        newest = seen.order_by("-pk").values_list("pk", flat=True)[:_OFFERED]
        choices = CatalogFile.objects.filter(pk__in=list(newest)).order_by("-pk")
        self.fields["file"].queryset = choices  # type: ignore[attr-defined]


class CompareActs:
    """For the page of header templates."""

    admin_site: Any
    opts: Any

    @admin.action(description=gettext_lazy("Compare two versions"), permissions=("view",))
    def compare(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Show in what the two chosen templates differ; the older version stands first."""
        chosen = sorted(queryset, key=lambda row: (row.version, row.pk))
        if len(chosen) != 2:
            messages.error(request, _("Choose two templates to compare."))
            return None
        before, after = (find_template(row.pk) for row in chosen)
        shown = _shown(compare_templates(before, after))
        return self._compared(request, shown, title=_("Compare two versions"))

    @admin.action(description=gettext_lazy("Compare with a file"), permissions=("view",))
    def compare_file(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Go to the page on which a file is chosen."""
        if queryset.count() != 1:
            messages.error(request, _("Choose one template to compare."))
            return None
        return HttpResponseRedirect(reverse("admin:datasync_headertemplate_compare", args=(queryset.get().pk,)))

    def compare_view(self, request: HttpRequest, template_id: int) -> HttpResponse:
        """Show in what a file differs from a template; without a file, which could be chosen."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        try:
            template = find_template(template_id)
        except TemplateNotFound as error:
            raise Http404 from error
        asked = request.GET if "file" in request.GET else None
        form = FileChoice(asked, template=template, sight=sight_of(request))
        context: dict[str, Any] = {"template": template, "form": form}
        if form.is_bound and form.is_valid():
            try:
                context |= _shown(compare_with_file(template, form.cleaned_data["file"]))
            except SyncError as error:
                context["error"] = error_text(error.document)
        return self._compared(request, context, title=_("Compare with a file"))

    def _compared(self, request: HttpRequest, told: dict[str, Any], *, title: str) -> TemplateResponse:
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **told}
        return TemplateResponse(request, "admin/datasync/template_comparison.html", context)


def _shown(found: Comparison) -> dict[str, Any]:
    told = found.as_dict()
    facts = [
        (_("a sync would find"), _VERDICTS[told["verdict"]]),
        (_("match rate"), f"{told['match_rate']:.1%}"),
    ]
    if told["same_values"] is not None:
        same = _("yes") if told["same_values"] else _("no: stored rows can be typed again")
        facts.append((_("both read the same values"), same))
    return {
        "before": told["before"],
        "after": told["after"],
        "facts": pairs_table(facts),
        "table": comparison_table(found),
    }


def comparison_table(found: Comparison) -> SafeString | str:
    """Everything in which they differ; empty where nothing does."""
    rows = list(_rows(found.as_dict()))
    return grid((_("what"), _("before"), _("after")), rows) if rows else ""


def _rows(told: dict[str, Any]) -> Iterator[tuple[object, object, object]]:
    labels = {
        "added": _("added"),
        "missing": _("gone"),
        "missing_required": _("gone, required"),
        "renamed": _("renamed"),
        "likely_renamed": _("likely renamed"),
        "moved": _("moved"),
        "currency_changes": _("other currency"),
    }
    differences = told["differences"]
    for name in ("renamed", "likely_renamed", "currency_changes"):
        yield from ((labels[name], before, after) for before, after in differences[name])
    for name in ("missing", "missing_required"):
        yield from ((labels[name], header, NOTHING) for header in differences[name])
    yield from ((labels["added"], NOTHING, header) for header in differences["added"])
    yield from ((labels["moved"], header, header) for header in differences["moved"])
    for one in differences["contradictions"]:
        yield _("contradiction"), one["header"], f"{_(one['reason'])}: {', '.join(one['examples'])}"
    for change in told["settings"]:
        yield change["name"], _text(change["before"]), _text(change["after"])
    for column in told["columns"]:
        for change in column["changes"]:
            yield f"{column['header']}: {change['name']}", _text(change["before"]), _text(change["after"])


def _text(value: Any) -> str:
    if value in (None, "", []):
        return NOTHING
    return ", ".join(value) if isinstance(value, list) else str(value)
