"""How an act reaches many rows: file by file, at most a thousand rows a transaction, each file held while it lasts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet

from datasync.access import Sight
from datasync.at_hand import NotAtHand, at_hand_if_possible
from datasync.choices import FILE_ACTIVE, ITEM_ACTIVE, QUARANTINE_DECIDED, QUARANTINE_UNDECIDED, FileState
from datasync.exceptions import FileBusy, FileNotFound, RowNotFound, RowsOfOldContent, SyncError, TransientError
from datasync.models import CatalogFile, QuarantinedRow, SyncTaskFile
from datasync.quarantine.content import is_of_old_content
from datasync.quarantine.selectors import Filters, chosen, present_rows

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 1_000
Act = Callable[[CatalogFile, list[QuarantinedRow]], Callable[[], None]]
"""Does something with rows of a file that is held; what it gives is called once that is committed, and counts it.

What is undone because a file was ``NotAtHand`` is done again from its beginning.
"""


@dataclass(slots=True)
class Reached:
    """Which rows an act did not reach: decided ones, unknown ids, and files that could not be worked on, with why.

    ``done``: some it did reach.
    """

    decided: int = 0
    missing_ids: list[int] = field(default_factory=list)
    refused: dict[int, SyncError] = field(default_factory=dict)
    done: bool = False

    @property
    def busy_file_ids(self) -> list[int]:
        """Files that are being synced at this moment."""
        return [file_id for file_id, error in self.refused.items() if isinstance(error, FileBusy)]


def on_chosen(filters: Filters, act: Act, *, sight: Sight, dry_run: bool = False) -> Reached:
    """Do ``act`` with the undecided rows in sight that match; a file that cannot be worked on does not stop the others.

    A rehearsal does the same and undoes it, file by file, so that it keeps no other file waiting and sees its own
    effects within each file. Raises ``RowNotFound`` when only unknown ids are named, and a file's error when no row of
    any file could be worked on; once something is done, what goes wrong later is told in ``refused``.
    """
    reached = Reached(missing_ids=_missing(filters.ids, sight))
    if filters.ids and len(reached.missing_ids) == len(set(filters.ids)):
        raise RowNotFound(what=", ".join(map(str, reached.missing_ids[:10])))
    matching = chosen(present_rows(sight=sight), filters)
    undecided = matching.filter(state__in=QUARANTINE_UNDECIDED)
    reached.decided = matching.filter(state__in=QUARANTINE_DECIDED).count()
    file_ids = list(undecided.order_by("file_id").values_list("file_id", flat=True).distinct())
    for file_id in file_ids:
        try:
            _on_file(file_id, undecided, act, reached, sight=sight, dry_run=dry_run)
        except SyncError as error:
            reached.refused[file_id] = error
        except OperationalError:
            if not reached.done:
                raise
            logger.exception("File %s could not be worked on", file_id)
            reached.refused[file_id] = TransientError()
    if file_ids and not reached.done and len(reached.refused) == len(file_ids):
        raise next(iter(reached.refused.values()))
    return reached


@contextmanager
def held(file_id: int, row_ids: Collection[int], *, sight: Sight) -> Iterator[tuple[CatalogFile, list[QuarantinedRow]]]:
    """A transaction that holds the file and those of its rows that are still undecided, in the order of the sheet.

    The file comes first: a sync takes it before it begins, so that the two wait for each other and never meet in the
    middle. Raises ``FileBusy`` while a sync has the file: it would not see what is done meanwhile. Raises
    ``FileNotFound`` for a deleted file and one out of sight, ``RowsOfOldContent`` where the file has other content than
    the rows are of.
    """
    with transaction.atomic():
        files = CatalogFile.objects.select_for_update(of=("self",), no_key=True).select_related("shop", "template")
        file = files.filter(pk=file_id).exclude(state=FileState.DELETED).first()
        if file is None or file.removing or not sight.sees_file(file):
            raise FileNotFound(what=file_id)
        _refuse_busy(file)
        rows = QuarantinedRow.objects.select_for_update(of=("self",), no_key=True).select_related("header_set", "item")
        wanted = rows.filter(pk__in=row_ids, file_id=file_id, state__in=QUARANTINE_UNDECIDED)
        found = sorted(wanted.order_by("pk"), key=lambda row: row.sheet_row)
        if any(is_of_old_content(row, file) for row in found):
            raise RowsOfOldContent
        yield file, found


def _on_file(
    file_id: int, undecided: QuerySet[QuarantinedRow], act: Act, reached: Reached, *, sight: Sight, dry_run: bool
) -> None:
    """Work through a file, each page a transaction of its own, or all of them one in a rehearsal.

    A copy of the file that turns out to be needed is fetched between two transactions, never in one: nobody waits for
    the storage behind rows that are held.
    """
    pages = _pages(undecided.filter(file_id=file_id))
    for part in [list(pages)] if dry_run else ([ids] for ids in pages):
        with ExitStack() as copies:
            while (wanted := _on_pages(file_id, part, act, reached, sight=sight, dry_run=dry_run)) is not None:
                copies.enter_context(at_hand_if_possible(wanted))


def _on_pages(
    file_id: int, pages: Iterable[Collection[int]], act: Act, reached: Reached, *, sight: Sight, dry_run: bool
) -> CatalogFile | None:
    """Work through pages; the file that has to be at hand first, if there is one: then nothing is done or counted."""
    worked: list[tuple[Callable[[], None] | None, int]] = []
    try:
        with _rehearsed(dry_run=dry_run):
            for ids in pages:
                with held(file_id, ids, sight=sight) as (file, rows):
                    count = act(file, rows) if rows else None
                worked.append((count, len(ids) - len(rows)))
    except NotAtHand as wanted:
        worked.clear()
        return wanted.file
    finally:
        for count, decided in worked:
            reached.decided += decided
            if count is not None:
                count()
                reached.done = True
    return None


def _pages(rows: QuerySet[QuarantinedRow]) -> Iterator[list[int]]:
    """The ids of a file's undecided rows, by row number; where two wait for one number, by age."""
    ordered = rows.order_by("sheet_row", "pk").values_list("sheet_row", "pk")
    page = list(ordered[:MOST_AT_ONCE])
    while page:
        yield [pk for _row, pk in page]
        row, last = page[-1]
        below = Q(sheet_row__gt=row) | Q(sheet_row=row, pk__gt=last)
        page = list(ordered.filter(below, sheet_row__gte=row)[:MOST_AT_ONCE])


def _missing(ids: Collection[int], sight: Sight) -> list[int]:
    if not ids:
        return []
    known = set(present_rows(sight=sight).filter(pk__in=ids).values_list("pk", flat=True))
    return sorted(set(ids) - known)


def _refuse_busy(file: CatalogFile) -> None:
    """An item may still be at work where the file has been replaced meanwhile and is pending again."""
    active = SyncTaskFile.objects.filter(file_id=file.pk, state__in=ITEM_ACTIVE)
    task_id = active.values_list("task__task_id", flat=True).first()
    if task_id is not None or file.state in FILE_ACTIVE:
        raise FileBusy(task_id=task_id or "")


@contextmanager
def _rehearsed(*, dry_run: bool) -> Iterator[None]:
    if not dry_run:
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def filters_document(filters: Filters) -> dict[str, Any]:
    """What was asked for, as the audit keeps it; ids are not repeated, the entry names its rows."""
    document = {
        "file_ids": list(filters.file_ids),
        "task_id": filters.task_id,
        "domains": list(filters.domains),
        "reasons": list(filters.reasons),
        "states": list(filters.states),
        "platforms": list(filters.platforms),
        "shops": list(filters.shops),
        "search": filters.search,
    }
    return {name: value for name, value in document.items() if value}
