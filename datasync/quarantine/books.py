"""The books of a file follow what is decided about its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from datasync.choices import FILE_SYNCED, QUARANTINE_UNDECIDED
from datasync.ingest.load.outcome import file_state
from datasync.ingest.plan import COUNT_NAMES, Counts
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quarantine.content import syncs_of


def settle(file: CatalogFile, released: Iterable[QuarantinedRow] = ()) -> None:
    """Move released rows out of the file's quarantine, each to its outcome, and set the state that now is true.

    The caller holds the file. Its counts are those of its last sync, so that only rows of that sync move: what a remap
    has refused stands among the facts already. A file that is not synced, or failed since, keeps its state.
    """
    counts = Counts(**{name: int(file.rows.get(name, 0)) for name in COUNT_NAMES})
    changes: dict[str, object] = {}
    last = syncs_of(file).order_by("-pk").values_list("pk", flat=True).first()
    moved = Counter(row.outcome for row in released if last is not None and row.item_id == last)
    if moved:
        counts.quarantined -= moved.total()
        for outcome, number in moved.items():
            setattr(counts, outcome, getattr(counts, outcome) + number)
        changes["rows"] = file.rows = counts.as_dict()
    if file.state in FILE_SYNCED:
        undecided = QuarantinedRow.objects.filter(file_id=file.pk, state__in=QUARANTINE_UNDECIDED).count()
        file.state = changes["state"] = file_state(replace(counts, quarantined=undecided))
    if changes:
        CatalogFile.objects.filter(pk=file.pk).update(**changes)
