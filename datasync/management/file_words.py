"""Files, what hangs on them and what is in them, as documents for machines and lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from datasync.catalog.deletion import Deletion
from datasync.catalog.impact import Impact
from datasync.management.tables import facts, table
from datasync.models import CatalogFile
from datasync.runs.words import error_in_words

_MOST_HEIRS = 10


def file_document(file: CatalogFile) -> dict[str, Any]:
    """A file as lists show it."""
    return {
        "id": file.pk,
        "name": file.original_name,
        "root": file.root,
        "storage_name": file.storage_name,
        "size": file.size,
        "status": file.state,
        "platform": file.platform_id,
        "source_platform": file.source_platform_id,
        "shop": file.shop.shop_id if file.shop else None,
        "domain": file.domain,
        "sub_domain": file.sub_domain,
        "granularity": file.granularity,
        "period_start": file.period_start,
        "period_end": file.period_end,
        "collected_at": file.collected_at,
        "account": file.account,
        "template": str(file.template) if file.template else None,
        "rows": file.rows,
        "error": error_in_words(file.last_error) if file.last_error else None,
        "first_seen_at": file.first_seen_at,
        "synced_at": file.synced_at,
    }


def file_lines(files: Sequence[CatalogFile], total: int) -> Iterator[str]:
    """A table of files."""
    headers = ("id", _("state"), _("platform"), _("shop"), _("domain"), _("granularity"), _("rows"), _("file"))
    rows = (
        (
            str(file.pk),
            file.get_state_display(),
            file.platform_id,
            file.shop.shop_id if file.shop else "",
            file.domain,
            file.granularity,
            file.rows.get("read"),
            file.original_name,
        )
        for file in files
    )
    yield from table(headers, rows)
    if total > len(files):
        yield ""
        yield _("%(listed)s of %(total)s files; --limit shows more.") % {"listed": len(files), "total": f"{total:,}"}


def profile_document(file: CatalogFile) -> dict[str, Any]:
    """What the columns of a file hold."""
    return {"file_id": file.pk, "file": file.original_name, "rows": file.profiled_rows, "columns": file.profile}


def profile_lines(file: CatalogFile) -> Iterator[str]:
    """A table of columns."""
    headers = (_("column"), _("type"), _("empty %"), _("distinct"), _("min"), _("max"), _("examples"))
    yield from table(
        headers,
        (
            (
                column["header"],
                column["type"],
                column["empty"],
                column["distinct"],
                str(column["min"] if column["min"] is not None else ""),
                str(column["max"] if column["max"] is not None else ""),
                ", ".join(column["examples"]),
            )
            for column in file.profile
        ),
    )
    yield ""
    yield _("The first %(rows)s rows of the file.") % {"rows": f"{file.profiled_rows:,}"}


def preview_lines(found: dict[str, Any], shown: int) -> Iterator[str]:
    """The beginning of a file under its header, and how the header fits."""
    width = len(found["headers"])
    rows = [(*cells[:width], *[""] * (width - len(cells))) for cells in found["rows"][:shown]]
    numbered = [(str(found["first_row_number"] + at), *row) for at, row in enumerate(rows)]
    yield from table((_("row"), *found["headers"]), numbered)
    yield ""
    match = found["match"]
    detected = found["detected_header_row"]
    suggestion = found["suggestion"]
    yield from facts(
        [
            (_("header row"), str(found["header_row"])),
            (_("detected header row"), _("none") if detected is None else str(detected)),
            (_("template"), match["template"] if match else _("none")),
            (_("fits"), match["outcome"] if match else ""),
            *((name, str(value)) for name, value in (found["differences"] or {}).items() if value),
            *([(_("suggested"), _suggested(suggestion))] if suggestion else []),
        ]
    )


def impact_document(impact: Impact) -> dict[str, Any]:
    """What hangs on a file."""
    names = ("domain", "platform", "shop_id", "granularity", "period_start", "period_end", "rows", "older")
    return {
        "file_id": impact.file.pk,
        "file": impact.file.original_name,
        "rows": impact.rows,
        "handed_over": impact.handed_over,
        "handed_over_to": [asdict(heir) for heir in impact.heirs],
        "rows_of_older_exports": impact.rows_of_older_exports,
        "by_scope": [{name: getattr(part, name) for name in names} for part in impact.stored],
        "quarantined": {"undecided": impact.undecided, "decided": impact.decided},
        "confirmations": impact.confirmations,
        "removes_bytes": impact.removes_bytes,
    }


def impact_lines(impacts: Sequence[Impact]) -> Iterator[str]:
    """A table of files with what hangs on each."""
    headers = (
        "id", _("rows"), _("handed over"), _("of older exports"), _("undecided"), _("decided already"), _("confirmed"),
        _("original removed"), _("file"),
    )  # fmt: skip
    yield from table(
        headers,
        (
            (
                str(impact.file.pk),
                impact.rows,
                impact.handed_over,
                impact.rows_of_older_exports,
                impact.undecided,
                impact.decided,
                impact.confirmations,
                impact.removes_bytes,
                impact.file.original_name,
            )
            for impact in impacts
        ),
    )
    if heirs := {heir.file_id: heir.file_name for impact in impacts for heir in impact.heirs}:
        yield ""
        named = ", ".join(f"{name} ({pk})" for pk, name in list(heirs.items())[:_MOST_HEIRS])
        yield _("Rows that newer exports confirmed stay, as theirs: %(files)s") % {"files": named}
    if any(impact.rows_of_older_exports for impact in impacts):
        yield ""
        yield _("What older exports had in these rows does not come back; syncing them again brings it.")


def deletion_document(deletion: Deletion) -> dict[str, Any]:
    """What became of files that were to be deleted."""
    return {
        "files": [impact_document(impact) for impact in deletion.impacts],
        "missing_file_ids": list(deletion.missing_file_ids),
        "busy_file_ids": list(deletion.busy_file_ids),
        "rows": deletion.rows.value,
        "dry_run": deletion.dry_run,
        "finished": deletion.finished,
        "removed_rows": deletion.removed_rows,
        "handed_over_rows": deletion.handed_over_rows,
    }


def deletion_lines(deletion: Deletion) -> Iterator[str]:
    """What was deleted, or would be, and what was left out."""
    yield from impact_lines(deletion.impacts)
    yield ""
    counts = {"files": f"{len(deletion.impacts):,}", "rows": f"{deletion.removed_rows:,}"}
    if deletion.dry_run:
        yield _("Files that would be deleted: %(files)s, rows with them: %(rows)s. Nothing was changed.") % counts
    else:
        yield _("Files deleted: %(files)s, rows removed: %(rows)s.") % counts
    for name, ids in ((_("no such file"), deletion.missing_file_ids), (_("being synced"), deletion.busy_file_ids)):
        if ids:
            yield f"{name}: {', '.join(map(str, ids))}"


def _suggested(suggestion: dict[str, Any]) -> str:
    columns = suggestion["columns"]
    named = ", ".join(f"{column['header']} → {column['field']}" for column in columns if column["field"])
    return f"{suggestion['domain']}: {named}"
