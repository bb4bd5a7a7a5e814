"""``sync_files --dry-run``: what a sync of the chosen files would do, one after the other, with nothing queued."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from django.utils.translation import gettext as _

from datasync.access import EVERYTHING
from datasync.catalog.dry_run import DryRun, dry_run
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.management.base import Outcome
from datasync.management.progress import Counter
from datasync.management.tables import table
from datasync.management.watching import verdict_of
from datasync.runs.words import error_in_words, remark_in_words

MOST_SAMPLED_FILES = 100
"""Rows are shown of so many files; of the others, only what they come to."""


def rehearse_files(file_ids: Sequence[int], *, shown: bool, missing_file_ids: Sequence[int], **flags: bool) -> Outcome:
    """Rehearse each file as if it were the only one; the exit code is that of a sync of all of them."""
    files, rows = Counter(unit=_("files"), shown=shown), Counter(unit=_("rows"), shown=shown)
    try:
        found = []
        for number, file_id in enumerate(file_ids, 1):
            one = _rehearse(file_id, rows, flags)
            found.append(one if number <= MOST_SAMPLED_FILES else replace(one, samples={}))
            files.reached(number, len(file_ids))
    finally:
        rows.close()
        files.close()
    total = Counts()
    for one in found:
        total.add(one.counts)
    document = {
        "dry_run": True,
        "files": {"total": len(found), "refused": sum(1 for one in found if one.error)},
        "rows": total.as_dict(),
        "results": [_document(one) for one in found],
        "missing_file_ids": list(missing_file_ids),
    }
    codes = {one.error["code"] for one in found if one.error}
    waiting = sum(one.counts.quarantined for one in found)
    return Outcome(document, _lines(found, total), verdict_of(codes, rows_quarantined=waiting))


def _rehearse(file_id: int, rows: Counter, flags: dict[str, bool]) -> DryRun:
    report: Callable[[Counts], None] = lambda counts: rows.reached(counts.read)  # noqa: E731
    return dry_run(file_id=file_id, sight=EVERYTHING, on_progress=report, **flags)


def _document(found: DryRun) -> dict[str, Any]:
    """A file's dry run in the names of the API."""
    told = asdict(found)
    state, counts = told.pop("state"), told.pop("counts")
    return {
        **told,
        "status": state.value,
        "rows": counts,
        "error": error_in_words(found.error) if found.error else None,
        "warnings": [remark_in_words(remark.document) for remark in found.warnings],
    }


def _lines(found: Sequence[DryRun], total: Counts) -> Iterator[str]:
    """The books of each file, why one would be refused, then the first rows that would change or be put aside."""
    yield _("Dry run: nothing was written. Each file is seen as if it were the only one.")
    yield ""
    headers = (_("file"), _("name"), _("state afterwards"), *map(_, COUNT_NAMES), _("code"))
    yield from table(headers, (_line(one) for one in found))
    if len(found) > 1:
        yield _("%(count)s rows in all.") % {"count": f"{total.read:,}"}
    for one in found:
        if one.error:
            told = error_in_words(one.error)
            yield f"{one.file_id}: {told['message']} {told['recovery']}"
    examples = [line for one in found for line in _examples(one)]
    if examples:
        yield ""
        yield from table((_("file"), _("row"), _("outcome"), _("column"), _("stored"), _("new")), examples)


def _line(found: DryRun) -> tuple[Any, ...]:
    counts = found.counts.as_dict().values()
    return (str(found.file_id), found.file_name, found.state.label, *counts, (found.error or {}).get("code", ""))


def _examples(found: DryRun) -> Iterator[tuple[Any, ...]]:
    file_id = str(found.file_id)
    for row in found.samples.get("updated", ()):
        for one in row["differences"]:
            told = (one["field"] or one["header"], _text(one["stored"]), _text(one["new"]))
            yield (file_id, str(row["sheet_row"]), _("updated"), *told)
    for row in found.samples.get("quarantined", ()):
        for reason in row["reasons"]:
            told = (reason["header"], reason["code"], reason["value"])
            yield (file_id, str(row["sheet_row"]), _("quarantined"), *told)


def _text(value: str | int | None) -> str:
    return "–" if value is None else str(value)
