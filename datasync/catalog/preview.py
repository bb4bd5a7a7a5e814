"""A look into a file before it is synced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from datasync.at_hand import at_hand, path_of
from datasync.ingest.plan import SheetHead
from datasync.mapping.choose import SAMPLE_ROWS, header_at
from datasync.mapping.header_row import MAX_HEADER_ROW, find_header_row
from datasync.mapping.match import Match, match
from datasync.mapping.selectors import family_of_file, stored_for
from datasync.mapping.suggestions import suggest_for_head
from datasync.models import CatalogFile
from datasync.spreadsheets import storable

PREVIEW_ROWS = 100
MOST_HEADER_ROW = 100


def preview(file: CatalogFile, header_row: int | None = None) -> dict[str, Any]:
    """Up to 100 rows below a header, and what its columns would mean.

    ``header_row`` is 0-based; None stands for the row that was detected. ``detected_header_row`` is where the catalogue
    found the template's header, else the row that looks most like one; None where none does. A suggestion is
    for the best header from ``header_row`` on. Raises a ``FileError`` when the file cannot be read, ``FileMissing``
    when it is gone.
    """
    from datasync.ingest.read import reader  # noqa: PLC0415 - brings polars along

    with at_hand(file):
        head = reader().head(path_of(file), rows=max(header_row or 0, MAX_HEADER_ROW) + 1 + PREVIEW_ROWS)
    detected = file.header_row if file.header_row is not None else find_header_row(head.rows)
    row = (detected or 0) if header_row is None else header_row
    header = header_at(head.rows, row=row)
    below = head.rows[row + 1 : row + 1 + PREVIEW_ROWS]
    found, template_id = _matched(file, header, below)
    suggested = None
    if found is None or not found.outcome.syncable:
        currency = file.shop.currency if file.shop else ""
        below_titles = replace(head, rows=head.rows[row:])
        suggested = suggest_for_head(below_titles, file.domain, file.platform_id or "", currency)
    return {
        "file_id": file.pk,
        "file_name": file.original_name,
        **_about(head),
        "header_row": row,
        "detected_header_row": detected,
        "headers": [storable(text) for text in header],
        "rows": [[storable(cell) for cell in cells] for cells in below],
        "first_row_number": row + 2,
        "template_id": template_id,
        "match": found.as_dict() if found else None,
        "differences": _differences(found) if found else None,
        "suggestion": _moved(suggested.as_dict(), row) if suggested else None,
    }


def _matched(
    file: CatalogFile, header: tuple[str, ...], below: tuple[tuple[str, ...], ...]
) -> tuple[Match | None, int | None]:
    family = family_of_file(file)
    stored = stored_for(family) if family else ()
    if not stored or not header:
        return None, None
    found = match(header, [one.template for one in stored], sample_rows=below[:SAMPLE_ROWS])
    chosen = next((one.id for one in stored if one.template is found.template), None)
    return found, chosen if found.outcome.syncable else None


def _moved(suggestion: dict[str, Any], rows: int) -> dict[str, Any]:
    """The suggestion with its header row counted from the beginning of the sheet."""
    return suggestion | {"header_row": suggestion["header_row"] + rows}


def _about(head: SheetHead) -> dict[str, Any]:
    return {
        "format": head.format.value,
        "encoding": head.encoding,
        "delimiter": head.delimiter,
        "sheet": storable(head.sheet),
        "sheets": [storable(name) for name in head.sheets],
    }


def _differences(found: Match) -> dict[str, Any]:
    told = found.as_dict()
    names = ("added", "missing", "missing_required", "renamed", "likely_renamed", "moved", "currency_changes")
    return {name: told[name] for name in (*names, "contradictions")}
