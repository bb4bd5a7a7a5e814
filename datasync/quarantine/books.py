"""The books of a file follow what is decided about its rows."""

from __future__ import annotations

from collections.abc import Mapping

from datasync.choices import FILE_SYNCED, QUARANTINE_UNDECIDED
from datasync.ingest.load.outcome import file_state
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.models import CatalogFile, QuarantinedRow


def settle(file: CatalogFile, released: Mapping[str, int]) -> None:
    """Move released rows out of the file's quarantine, each to its outcome, and set the state that now is true.

    The caller holds the file. One whose content was replaced, or that failed since, keeps its state.
    """
    counts = Counts(**{name: int(file.rows.get(name, 0)) for name in COUNT_NAMES})
    changes: dict[str, object] = {}
    moved = sum(released.values())
    if 0 < moved <= counts.quarantined:
        counts.quarantined -= moved
        for outcome, number in released.items():
            setattr(counts, outcome, getattr(counts, outcome) + number)
        changes["rows"] = file.rows = counts.as_dict()
    if file.state in FILE_SYNCED:
        undecided = QuarantinedRow.objects.filter(file_id=file.pk, state__in=QUARANTINE_UNDECIDED).count()
        file.state = changes["state"] = file_state(counts, discarded=max(counts.quarantined - undecided, 0))
    if changes:
        CatalogFile.objects.filter(pk=file.pk).update(**changes)
