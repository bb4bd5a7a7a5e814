"""How a file stands after its rows were loaded, and after people have decided on those that could not be."""

from __future__ import annotations

from datasync.choices import FileState
from datasync.ingest.plan import Counts


def file_state(counts: Counts, *, discarded: int = 0) -> FileState:
    """The state that follows from the file's books; ``discarded`` of its quarantined rows wait for nobody any more."""
    if counts.quarantined <= discarded:
        return FileState.INGESTED
    kept = counts.inserted + counts.updated + counts.unchanged + counts.stale
    return FileState.PARTIAL if kept else FileState.QUARANTINED
