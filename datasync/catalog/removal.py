"""Take away what goes with deleted files, some thousand rows at a time.

A file is marked first, in one transaction; ``removing`` says what is still to be done. Everything here can be stopped
at any point, done again, and done by two at once: what is gone is gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from django.db import transaction
from django.db.models import QuerySet

from datasync.catalog import uploads
from datasync.choices import FileState, RowsFate
from datasync.disk import UPLOADS
from datasync.ingest.load.locks import hold_domain
from datasync.models import FACT_MODELS, CatalogFile, ConfirmedRows, Fact, QuarantinedRow
from erp.publishing import ring_for

CHUNK_ROWS = 5_000
BACKGROUND_TASK = "data_processing.finish_deletions"
Progress = Callable[[int], None]


class _Loading(Exception):
    """Somebody is loading rows of the same domain, and we were asked not to wait."""


def unfinished() -> QuerySet[CatalogFile]:
    """Deleted files with which not everything is gone yet, oldest first."""
    return CatalogFile.objects.filter(state=FileState.DELETED).exclude(removing="").order_by("pk")


def ring_for_removal() -> bool:
    """Have a worker take up what is unfinished; False when no broker took the message."""
    return ring_for(BACKGROUND_TASK)


def finish_deletions(*, seconds: float | None = None, wait: bool = True) -> bool:
    """Go on with every unfinished deletion, for about ``seconds``; True when none is left.

    Without ``wait`` it stops where a load is in the way.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    return all(remove(file, wait=wait, deadline=deadline)[1] for file in unfinished())


def remove(
    file: CatalogFile, *, wait: bool, deadline: float | None = None, progress: Progress | None = None
) -> tuple[int, bool]:
    """Remove what goes with a deleted file: how many facts went, and whether it is all gone.

    Without ``wait`` it gives up as soon as a load of the same domain is in the way. ``progress`` is told of each chunk.
    """
    removed = 0
    if file.root == UPLOADS:
        uploads.discard(file.storage_name)
    if file.removing == RowsFate.DELETE:
        try:
            for count in _removed_chunks(file.pk, wait=wait):
                removed += count
                if progress:
                    progress(count)
                if deadline is not None and time.monotonic() > deadline:
                    return removed, False
        except _Loading:
            return removed, False
    return removed, _close(file)


def _close(file: CatalogFile) -> bool:
    """Note that all is gone; False when somebody released rows of the file while its chunks were removed."""
    with transaction.atomic():
        held = CatalogFile.objects.select_for_update().filter(pk=file.pk, state=FileState.DELETED)
        if not list(held.values_list("pk")):
            return True
        left = (QuerySet(model).filter(file_last=file.pk).exists() for model in FACT_MODELS.values())
        quarantined = QuarantinedRow.objects.filter(file=file.pk)
        if file.removing == RowsFate.DELETE and (any(left) or quarantined.exists()):
            return False
        held.update(removing="")
    return True


def _removed_chunks(file_id: int, *, wait: bool) -> Iterator[int]:
    """Remove facts, then confirmations and quarantine; yields how many facts went with each transaction."""
    for domain, model in FACT_MODELS.items():
        after, more = -1, True
        while more:
            with transaction.atomic():
                rows: QuerySet[Fact] = QuerySet(model).filter(file_last=file_id, sheet_row__gt=after)
                last = _last_of_chunk(rows)
                count = _remove_facts(rows if last is None else rows.filter(sheet_row__lte=last), domain, wait=wait)
            after, more = (after if last is None else last), last is not None
            yield count
    ConfirmedRows.objects.filter(file=file_id).delete()
    while keys := list(QuarantinedRow.objects.filter(file=file_id).order_by("pk").values_list("pk")[:CHUNK_ROWS]):
        QuarantinedRow.objects.filter(file=file_id, pk__lte=keys[-1][0]).delete()
        yield 0


def _last_of_chunk(rows: QuerySet[Fact]) -> int | None:
    """The sheet row with which a chunk ends; None where all that is left is less than one."""
    ordered = rows.order_by("sheet_row").values_list("sheet_row", flat=True)
    return next(iter(ordered[CHUNK_ROWS - 1 : CHUNK_ROWS]), None)


def _remove_facts(rows: QuerySet[Fact], domain: str, *, wait: bool) -> int:
    """Delete facts while nobody loads: a load must not find a row unchanged that is gone when it commits.

    What another file has taken over meanwhile is no longer among ``rows``.
    """
    for platform in sorted(rows.order_by().values_list("platform_id", flat=True).distinct()):
        if not hold_domain(platform, domain, wait=wait):
            raise _Loading
    deleted: tuple[int, dict[str, int]] = rows.order_by().delete()
    return deleted[0]
