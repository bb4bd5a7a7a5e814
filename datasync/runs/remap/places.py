"""Where a quarantined row stands: two contents of a file may both have a row of one number."""

from __future__ import annotations

from datasync.ingest.decided import fingerprint
from datasync.models import QuarantinedRow

Place = tuple[int, bytes]
"""The row's number in the sheet, and what its cells hold."""


def place_of(row: QuarantinedRow) -> Place:
    """The place of a row."""
    return row.sheet_row, fingerprint(row.values)
