"""Take away what goes with deleted files, some thousand rows at a time.

A file is marked first, in one transaction; ``removing`` says what is still to be done. Everything here can be stopped
at any point, done again, and done by two at once: what is gone is gone. A row that a newer export has confirmed is
handed over to that export instead of being removed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone

from datasync.catalog import uploads
from datasync.catalog.heirs import Confirmations
from datasync.choices import FileState, RowsFate
from datasync.disk import UPLOADS
from datasync.ingest.load.locks import hold_domain
from datasync.models import FACT_MODELS, CatalogFile, ConfirmedRows, Fact, QuarantinedRow
from erp.publishing import ring_for

CHUNK_ROWS = 5_000
FILES_AT_ONCE = 500
BACKGROUND_TASK = "data_processing.finish_deletions"
Progress = Callable[[int], None]


@dataclass(slots=True)
class Removed:
    """What became of the facts of deleted files by now, and whether all is gone that goes with the files."""

    rows: int = 0
    handed_over: int = 0
    finished: bool = False


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
    while files := list(unfinished().only("root", "storage_name", "removing")[:FILES_AT_ONCE]):
        if not remove(files, wait=wait, deadline=deadline).finished:
            return False
    return True


def remove(
    files: Sequence[CatalogFile], *, wait: bool, deadline: float | None = None, progress: Progress | None = None
) -> Removed:
    """Remove what goes with deleted files.

    Without ``wait`` it gives up as soon as a load of the same domain is in the way. ``progress`` is told of each chunk
    of rows.
    """
    removed = Removed()
    for file in files:
        if file.root == UPLOADS:
            uploads.discard(file.storage_name)
    going = [file.pk for file in files if file.removing == RowsFate.DELETE]
    with suppress(_Loading):  # files that are through are closed all the same
        for rows, handed_over in _chunks(going, wait=wait):
            removed.rows += rows
            removed.handed_over += handed_over
            if progress:
                progress(rows + handed_over)
            if deadline is not None and time.monotonic() > deadline:
                break
    removed.finished = _close([file.pk for file in files])
    return removed


def _close(ids: Sequence[int]) -> bool:
    """Note of which files all is gone; False when something of any is left or came since."""
    with transaction.atomic():
        held = CatalogFile.objects.select_for_update().filter(pk__in=ids, state=FileState.DELETED).exclude(removing="")
        fates = dict(held.order_by("pk").values_list("pk", "removing"))
        going = [pk for pk, fate in fates.items() if fate == RowsFate.DELETE]
        left = {pk for model in FACT_MODELS.values() for pk in _having(model, "file_last", going)}
        left |= _having(ConfirmedRows, "file", going) | _having(QuarantinedRow, "file", going)
        CatalogFile.objects.filter(pk__in=fates.keys() - left).update(removing="")
    return not left


def _having(model: type[Model], column: str, ids: Collection[int]) -> set[int]:
    """Those of the files of which the table has rows."""
    rows: QuerySet[Any] = QuerySet(model).filter(**{column: OuterRef("pk")})
    return set(CatalogFile.objects.filter(Exists(rows), pk__in=ids).values_list("pk", flat=True)) if ids else set()


def _chunks(ids: Sequence[int], *, wait: bool) -> Iterator[tuple[int, int]]:
    """Settle what the files hold, a transaction at a time; yields how many facts went and how many were handed over.

    Their confirmations go first, under the lock under which rows are handed over: from then on the files inherit
    nothing, so that what is removed afterwards is all there is.
    """
    _withdraw_confirmations(ids, wait=wait)
    for domain, model in FACT_MODELS.items():
        for file_id in sorted(_having(model, "file_last", ids)):
            yield from _facts_of(file_id, domain, wait=wait)
    quarantined = QuarantinedRow.objects.filter(file__in=ids).order_by("pk").values_list("pk", flat=True)
    while keys := list(quarantined[:CHUNK_ROWS]):
        QuarantinedRow.objects.filter(file__in=ids, pk__lte=keys[-1]).delete()
        yield 0, 0


def _withdraw_confirmations(ids: Sequence[int], *, wait: bool) -> None:
    confirmed = ConfirmedRows.objects.filter(file__in=ids).order_by()
    for platform, domain in sorted(confirmed.values_list("platform_id", "domain").distinct()):
        with transaction.atomic():
            _hold(platform, domain, wait=wait)
            confirmed.filter(platform=platform, domain=domain).delete()


def _facts_of(file_id: int, domain: str, *, wait: bool) -> Iterator[tuple[int, int]]:
    confirmations = Confirmations(domain, [file_id])
    confirmations.heirs()  # what takes long is found before anybody is kept waiting
    after, more = -1, True
    while more:
        with transaction.atomic():
            rows: QuerySet[Fact] = QuerySet(FACT_MODELS[domain]).filter(file_last=file_id, sheet_row__gt=after)
            last = _last_of_chunk(rows)
            chunk = rows if last is None else rows.filter(sheet_row__lte=last)
            counts = _settle(chunk.order_by(), domain, confirmations, wait=wait)
        after, more = (after if last is None else last), last is not None
        yield counts


def _last_of_chunk(rows: QuerySet[Fact]) -> int | None:
    """The sheet row with which a chunk ends; None where all that is left is less than one."""
    ordered = rows.order_by("sheet_row").values_list("sheet_row", flat=True)
    return next(iter(ordered[CHUNK_ROWS - 1 : CHUNK_ROWS]), None)


def _settle(rows: QuerySet[Fact], domain: str, confirmations: Confirmations, *, wait: bool) -> tuple[int, int]:
    """Hand facts over to newer exports that confirmed them and delete the others; how many were either.

    Nobody loads meanwhile: a load must not find a row unchanged that is gone when it commits. What another file has
    taken over is no longer among ``rows``.
    """
    for platform in sorted(rows.values_list("platform_id", flat=True).distinct()):
        _hold(platform, domain, wait=wait)
    heirs, handed_over = confirmations.heirs(), 0
    for heir, keys in heirs.among(list(rows.values_list("pk", flat=True)) if heirs.collected else ()).items():
        at = heirs.collected[heir]
        for start in range(0, len(keys), CHUNK_ROWS):
            older = rows.filter(pk__in=keys[start : start + CHUNK_ROWS], collected_at__lt=at)
            handed_over += older.update(file_last=heir, collected_at=at, updated_at=timezone.now())
    deleted: tuple[int, dict[str, int]] = rows.delete()
    return deleted[0], handed_over


def _hold(platform: str, domain: str, *, wait: bool) -> None:
    if not hold_domain(platform, domain, wait=wait):
        raise _Loading
