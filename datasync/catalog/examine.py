"""Look into a file: the beginning of its sheet, its header and template, its columns' profile, a suggested mapping."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from datasync.catalog.description import Described
from datasync.catalog.profile import PROFILED_ROWS, profile
from datasync.catalog.regions import region_of
from datasync.catalog.settle import guess, settle
from datasync.exceptions import FileError, SyncError
from datasync.ingest.plan import SheetHead
from datasync.mapping.choose import Choice, HeadOf
from datasync.mapping.store import Shelf
from datasync.mapping.suggestions import SuggestedHeader, suggest_for_head
from datasync.spreadsheets import storable, storable_document


@dataclass(slots=True)
class Examination:
    """What looking into a file showed: its description, and the values of the catalogue's columns about its content."""

    described: Described
    values: dict[str, Any] = field(default_factory=dict)
    error: SyncError | None = None


def examine(heads: HeadOf, described: Described, *, shelf: Shelf) -> Examination:
    """Look into the beginning of a file. One that cannot be read keeps its description and gets an error."""
    try:
        settled = settle(described, shelf=shelf, head_of=heads)
        first = heads(None)
    except FileError as error:
        return Examination(described, _nothing(), error)
    described, choice = settled.described, settled.choice
    suggested = None
    if choice is None or not choice.match.outcome.syncable:
        told = described.description
        region = region_of(told.shop_label or told.shop_id, code=told.region)
        currency = told.currency or (region.currency if region else "")
        suggested = suggest_for_head(first, told.domain, told.platform, currency)
    if suggested is not None and choice is None:
        described = guess(described, suggested)
    return Examination(described, _values(first, choice, suggested))


def _values(first: SheetHead, choice: Choice | None, suggested: SuggestedHeader | None) -> dict[str, Any]:
    if choice is not None:
        template = choice.stored.template
        head, header, row = choice.head, choice.match.header, choice.header_row
        below = max(row + template.header_rows, template.data_row or 0)
    elif suggested is not None:
        head, header, row, below = first, suggested.header, suggested.header_row, suggested.header_row + 1
    else:
        head, header, row, below = first, (), 0, len(first.rows)
    rows = [data for data in head.rows[below : below + PROFILED_ROWS] if any(data)]
    return {
        "format": head.format.value,
        "encoding": head.encoding,
        "sheet": storable(head.sheet)[:255],
        "header_row": row if header else None,
        "header": [storable(text) for text in header],
        "profile": storable_document(profile(header, rows)),
        "profiled_rows": len(rows),
        "template_id": choice.stored.id if choice else None,
        "match": storable_document(choice.as_dict()) if choice else {},
        "suggestion": suggested.as_dict() if suggested else {},
    }


def _nothing() -> dict[str, Any]:
    return {
        "format": "",
        "encoding": "",
        "sheet": "",
        "header_row": None,
        "header": [],
        "profile": [],
        "profiled_rows": 0,
        "template_id": None,
        "match": {},
        "suggestion": {},
    }
