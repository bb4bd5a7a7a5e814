"""Pages between a button of the quarantine and its act: each can say what would happen before it does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from datasync.admin.base import grid, operator
from datasync.admin.messages import report_error
from datasync.admin.quarantine_acts import correct_rows, discard_rows
from datasync.admin.reason_names import reason_in_words
from datasync.admin.sight import sight_of
from datasync.exceptions import SyncError
from datasync.models import HeaderSet
from datasync.quarantine import services
from datasync.quarantine.notes import LONGEST_NOTE
from datasync.quarantine.words import label
from datasync.reasons import Reason

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

REHEARSE = "rehearse"
"""The button that says what would happen; what was typed is kept in the form."""
_MOST_HEADERS = 500
_MOST_SHOWN = 200


def discard_page(admin: ModelAdmin[Any], request: HttpRequest, ids: Sequence[int]) -> HttpResponse | None:
    """Ask for the reason; None once the rows are discarded."""
    note = request.POST.get("note")
    if note is not None:
        done = discard_rows(request, ids=ids, note=note, dry_run=REHEARSE in request.POST)
        if done and REHEARSE not in request.POST:
            return None
    context = {"title": _("Discard rows"), "ids": ids, "note": note or "", "longest_note": LONGEST_NOTE}
    return _page(admin, request, "discard_rows.html", context)


def correct_page(admin: ModelAdmin[Any], request: HttpRequest, ids: Sequence[int]) -> HttpResponse | None:
    """Ask for column and text; None once the rows are corrected."""
    given = {name: request.POST.get(name, "") for name in ("header", "code", "value", "replacement")}
    given["only"] = "only" if "only" in request.POST else ""
    if "header" in request.POST:
        done = correct_rows(
            request,
            ids=ids,
            header=given["header"],
            code=given["code"],
            value=given["value"] if given["only"] else None,
            replacement=given["replacement"],
            dry_run=REHEARSE in request.POST,
        )
        if done and REHEARSE not in request.POST:
            return None
    sets = HeaderSet.objects.filter(pk__in=admin.get_queryset(request).filter(pk__in=ids).values("header_set"))
    headers = dict.fromkeys(name for headers in sets.values_list("headers", flat=True) for name in headers if name)
    context = {
        "title": _("Correct one column"),
        "ids": ids,
        "given": given,
        "headers": list(headers)[:_MOST_HEADERS],
        "codes": [(reason.value, reason_in_words(reason)) for reason in Reason],
    }
    return _page(admin, request, "correct_rows.html", context)


def import_page(admin: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """The form for a corrected sheet; below it what became of the one that was sent."""
    context: dict[str, Any] = {"title": _("Import corrections")}
    if request.method == "POST":
        sheet, dry_run = request.FILES.get("sheet"), REHEARSE in request.POST
        if sheet is None or sheet.file is None:
            messages.error(request, _("Choose a sheet."))
        else:
            try:
                source = cast("BinaryIO", sheet.file)
                taken = services.import_corrections(
                    source=source, actor=operator(request), sight=sight_of(request), dry_run=dry_run
                )
                context |= {"rehearsed": dry_run, **_told(taken)}
            except SyncError as error:
                report_error(request, error)
    return _page(admin, request, "import_corrections.html", context)


def _told(taken: services.Imported) -> dict[str, Any]:
    rows = [
        (row.sheet, row.row, row.id or "", label(row.outcome), ", ".join(row.columns))
        for row in taken.rows[:_MOST_SHOWN]
    ]
    counts = ((label(name), f"{number:,}") for name, number in taken.counts.items())
    return {
        "counts": grid((_("outcome"), _("rows")), counts),
        "rows": grid((_("sheet"), _("row"), "id", _("outcome"), _("columns")), rows) if rows else "",
        "unknown": [(sheet, ", ".join(columns)) for sheet, columns in taken.unknown_columns.items()],
        "ignored": ", ".join(taken.ignored_sheets),
    }


def _page(admin: ModelAdmin[Any], request: HttpRequest, name: str, context: dict[str, Any]) -> TemplateResponse:
    shared = {**admin.admin_site.each_context(request), "opts": admin.opts, "media": admin.media}
    return TemplateResponse(request, f"admin/datasync/{name}", {**shared, **context})
