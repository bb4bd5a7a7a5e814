"""Decisions about many quarantined rows: one correction for all of them, let them in, or keep them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework.request import Request
from rest_framework.views import APIView

from datasync.access import Sight
from datasync.api.examples import quarantine as examples
from datasync.api.requests.quarantine import CorrectRows, DiscardRows, ReleaseRows, filters_of
from datasync.api.serializers.quarantine import CorrectedRows, DiscardedRows, ReleasedRows
from datasync.choices import QUARANTINE_UNDECIDED
from datasync.exceptions import (
    FileBusy,
    FileChanged,
    FileNotFound,
    HeaderChanged,
    InvalidRequest,
    InvalidTimezone,
    NeedsDescription,
    NoTemplate,
    RowNotFound,
    TaskNotFound,
    UnsureMapping,
)
from datasync.quarantine import selectors, services
from datasync.quarantine.batches import Reached
from erp.api.authentication import person_of
from erp.api.responses import Answer
from erp.api.schema import documented
from erp.api.serializers import validated

MOST_ROWS = 10_000
"""Rows that one request works on; the command has no such limit."""
CHOOSING = (FileNotFound, TaskNotFound)
"""What rows are chosen by may not exist."""
_REACHING = (*CHOOSING, RowNotFound, FileBusy, FileChanged)


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
            sight=Sight.of(person_of(request)),
            dry_run=asked["dry_run"],
        )
        told = {"corrected": result.corrected, "unchanged": result.unchanged, "skipped": result.skipped}
        message = ngettext("%(count)s row corrected.", "%(count)s rows corrected.", result.corrected)
        return _answer(CorrectedRows, told, result.reached, asked, message % {"count": f"{result.corrected:,}"})


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
        asked, person = validated(ReleaseRows, request.data), person_of(request)
        result = services.release(
            filters=_chosen(asked, request),
            actor=person,
            sight=Sight.of(person),
            note=asked["note"],
            dry_run=asked["dry_run"],
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
        asked, person = validated(DiscardRows, request.data), person_of(request)
        result = services.discard(
            filters=_chosen(asked, request),
            note=asked["note"],
            actor=person,
            sight=Sight.of(person),
            dry_run=asked["dry_run"],
        )
        message = ngettext("%(count)s row discarded.", "%(count)s rows discarded.", result.discarded)
        told = {"discarded": result.discarded}
        return _answer(DiscardedRows, told, result.reached, asked, message % {"count": f"{result.discarded:,}"})


def _chosen(asked: Mapping[str, Any], request: Request) -> selectors.Filters:
    """The rows to work on. Raises ``InvalidRequest`` when they are more than a request should work on."""
    person = person_of(request)
    filters = filters_of(asked.get("filter", {}), user=person, ids=asked.get("ids"))
    if "filter" in asked:
        count = selectors.rows(filters, sight=Sight.of(person)).filter(state__in=QUARANTINE_UNDECIDED).count()
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
    return Answer(serializer({**unreached, **told}).data, message=nothing_changed(dry_run=asked["dry_run"]) or message)


def nothing_changed(*, dry_run: bool) -> str:
    """What is said of a rehearsal; blank for what was done."""
    return _("Nothing was changed.") if dry_run else ""
