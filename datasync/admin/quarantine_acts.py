"""What operators do with quarantined rows, and what they are told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from datasync.admin.base import operator
from datasync.admin.messages import report_error
from datasync.admin.sight import sight_of
from datasync.exceptions import SyncError
from datasync.quarantine import export, selectors, services, values
from datasync.quarantine.batches import Reached
from datasync.quarantine.cells import plain
from datasync.quarantine.words import label

MOST_TOLD = 5


def correct_row(request: HttpRequest, *, row_id: int, texts: Mapping[str, str]) -> None:
    """Take the cells of the row's form, ``cell0`` and so on; a cell that says what it said is left.

    ``confirmed``: what only the reader of the file doubted is right.
    """
    try:
        sight = sight_of(request)
        row = selectors.one(row_id, sight=sight)
        given = {
            f"#{at + 1}": texts[f"cell{at}"]
            for at, text in enumerate(values.current(row))
            if f"cell{at}" in texts and plain(texts[f"cell{at}"]) != plain(text or "")
        }
        confirmed = "confirmed" in texts
        if not given and not confirmed:
            messages.info(request, _("No cell was changed."))
            return
        result = services.correct(row_id=row_id, given=given, actor=operator(request), sight=sight, confirmed=confirmed)
    except SyncError as error:
        report_error(request, error)
        return
    changed = ngettext("%(count)s cell corrected.", "%(count)s cells corrected.", result.changed)
    messages.success(request, changed % {"count": result.changed})
    if result.hindrance is not None:
        report_error(request, result.hindrance)
    elif result.reasons:
        messages.warning(request, _("Still wrong: %(reasons)s") % {"reasons": export.in_one_line(result.reasons)})
    else:
        messages.success(request, _("Nothing is wrong with the row any more: it can be released."))


def correct_rows(
    request: HttpRequest,
    *,
    ids: Sequence[int],
    header: str,
    code: str,
    value: str | None,
    replacement: str,
    dry_run: bool,
) -> bool:
    """One correction for all of the rows, or what it would do; False when it was refused."""
    try:
        result = services.correct_many(
            filters=selectors.Filters(ids=ids),
            header=header,
            replacement=replacement,
            actor=operator(request),
            sight=sight_of(request),
            code=code,
            value=value,
            dry_run=dry_run,
        )
    except SyncError as error:
        report_error(request, error)
        return False
    _tell_rehearsed(request, dry_run=dry_run)
    told = ngettext("%(count)s row corrected.", "%(count)s rows corrected.", result.corrected)
    messages.success(request, told % {"count": f"{result.corrected:,}"})
    if left := result.skipped + result.unchanged:
        left_told = ngettext(
            "%(count)s row was left: it has no such column, another value, or says so already.",
            "%(count)s rows were left: they have no such column, another value, or say so already.",
            left,
        )
        messages.info(request, left_told % {"count": f"{left:,}"})
    _tell_unreached(request, result.reached)
    return True


def release_rows(request: HttpRequest, *, ids: Sequence[int], dry_run: bool = False) -> None:
    """Release rows, or say what that would do."""
    try:
        result = services.release(
            filters=selectors.Filters(ids=ids), actor=operator(request), sight=sight_of(request), dry_run=dry_run
        )
    except SyncError as error:
        report_error(request, error)
        return
    _tell_rehearsed(request, dry_run=dry_run)
    if result.released:
        counts = ", ".join(f"{label(outcome)} {number:,}" for outcome, number in result.outcomes.items())
        told = ngettext(
            "%(count)s row released: %(outcomes)s.", "%(count)s rows released: %(outcomes)s.", result.released
        )
        messages.success(request, told % {"count": f"{result.released:,}", "outcomes": counts})
    for row in result.kept[:MOST_TOLD]:
        said = {"row": row.sheet_row, "reasons": export.in_one_line(row.reasons)}
        messages.warning(request, _("Row %(row)s stays: %(reasons)s") % said)
    if result.rejected > MOST_TOLD:
        more = result.rejected - min(MOST_TOLD, len(result.kept))
        messages.warning(request, _("%(count)s more rows stay.") % {"count": f"{more:,}"})
    _tell_unreached(request, result.reached)


def discard_rows(request: HttpRequest, *, ids: Sequence[int], note: str, dry_run: bool = False) -> bool:
    """Discard rows for the reason that was given, or say what that would do; False when it was refused."""
    try:
        result = services.discard(
            filters=selectors.Filters(ids=ids),
            note=note,
            actor=operator(request),
            sight=sight_of(request),
            dry_run=dry_run,
        )
    except SyncError as error:
        report_error(request, error)
        return False
    _tell_rehearsed(request, dry_run=dry_run)
    if result.discarded:
        told = ngettext("%(count)s row discarded.", "%(count)s rows discarded.", result.discarded)
        messages.success(request, told % {"count": f"{result.discarded:,}"})
    _tell_unreached(request, result.reached)
    return True


def _tell_rehearsed(request: HttpRequest, *, dry_run: bool) -> None:
    if dry_run:
        messages.info(request, _("Nothing was changed: this was a rehearsal."))


def _tell_unreached(request: HttpRequest, reached: Reached) -> None:
    if reached.decided:
        told = ngettext(
            "%(count)s row had been decided already.", "%(count)s rows had been decided already.", reached.decided
        )
        messages.info(request, told % {"count": f"{reached.decided:,}"})
    for file_id, error in reached.refused.items():
        report_error(request, error, about=_("File %(id)s") % {"id": file_id})
