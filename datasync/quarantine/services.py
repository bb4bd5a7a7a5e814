"""What people do about quarantined rows; every door calls these."""

from __future__ import annotations

from datasync.quarantine.correct import Corrected, CorrectedMany, confirm_many, correct, correct_many
from datasync.quarantine.discard import Discarded, discard
from datasync.quarantine.release import Kept, Released, release
from datasync.quarantine.sheet import Imported, ImportedRow, import_corrections

__all__ = [
    "Corrected",
    "CorrectedMany",
    "Discarded",
    "Imported",
    "ImportedRow",
    "Kept",
    "Released",
    "confirm_many",
    "correct",
    "correct_many",
    "discard",
    "import_corrections",
    "release",
]
