"""Release: rows are judged again under the current template and loaded by the ordinary loader, once and for all.

The file is seldom needed: what the row had from the rows around it is kept with it. A batch of a file is one
transaction, in which the file, its rows and the loader's lock are taken in this order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models.functions import Now

from datasync import audit
from datasync.access import Sight
from datasync.at_hand import NotAtHand
from datasync.choices import AuditAction, QuarantineState
from datasync.exceptions import NeedsDescription
from datasync.ingest.load import loader_for
from datasync.ingest.prepare import Prepared
from datasync.ingest.prepare.context import as_later_line
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quarantine import check
from datasync.quarantine.batches import Reached, filters_document, on_chosen
from datasync.quarantine.books import settle
from datasync.quarantine.content import content_of
from datasync.quarantine.enter import enter
from datasync.quarantine.notes import checked_note
from datasync.quarantine.ordinals import Ordinals
from datasync.quarantine.places import in_place
from datasync.quarantine.selectors import Filters

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

MOST_TOLD = 1_000
"""Rows that stay in quarantine and are told one by one; all are counted."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A row that stays in quarantine, with what is wrong with it under the current template."""

    id: int
    file_id: int
    sheet_row: int
    reasons: list[dict[str, Any]]


@dataclass(slots=True)
class Released:
    """What became of the rows: released by outcome, those that are still rejected, and those that were not reached."""

    outcomes: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    kept: list[Kept] = field(default_factory=list)
    reached: Reached = field(default_factory=Reached)

    @property
    def released(self) -> int:
        """How many rows were released."""
        return self.outcomes.total()


def release(
    *, filters: Filters, actor: AbstractBaseUser | None, sight: Sight, note: str = "", dry_run: bool = False
) -> Released:
    """Load the undecided rows that match, as far as they can be trusted now; the others stay, with their new reasons.

    Raises ``InvalidRequest`` for a note that is too long, ``RowNotFound`` when only unknown ids are named; and
    ``FileBusy``, ``RowsOfOldContent``, ``NoTemplate``, ``UnsureMapping``, ``HeaderChanged``, ``NeedsDescription`` or
    ``InvalidTimezone`` when they keep every file from being worked on; ``StorageAway`` and ``DiskFull`` likewise, where
    a file has to be asked. For whoever is limited to shops a file without one is not described enough: its rows may be
    of any shop. In a rehearsal nothing is written.
    """
    note = checked_note(note)
    result = Released()
    numbers: dict[tuple[int, datetime | None], Ordinals] = {}

    def act(file: CatalogFile, rows: list[QuarantinedRow]) -> Callable[[], None]:
        if not sight.may_load(file):
            raise NeedsDescription(missing="shop")
        ordinals = numbers.get((file.pk, file.synced_at))  # files come one after the other; a sync may come between
        if ordinals is None:
            numbers.clear()
            ordinals = numbers[file.pk, file.synced_at] = Ordinals(content_of(file))
        released: list[QuarantinedRow] = []
        kept: list[Kept] = []
        try:
            for part in _under_one_header(rows):
                accepted, rejected = _release_rows(file, part, ordinals, actor=actor)
                released += accepted
                kept += rejected
        except NotAtHand:
            numbers.clear()  # they are those of lines that are rolled back now
            raise
        settle(file, released)
        if released:
            _note_decision(file, released, filters, actor=actor, note=note)

        def count() -> None:
            result.outcomes.update(row.outcome for row in released)
            result.rejected += len(kept)
            result.kept += kept[: MOST_TOLD - len(result.kept)]

        return count

    result.reached = on_chosen(filters, act, sight=sight, dry_run=dry_run)
    return result


def _under_one_header(rows: Sequence[QuarantinedRow]) -> list[list[QuarantinedRow]]:
    """The rows by header, and by whether a template has read them: each part has one plan. Mostly there is one.

    Where one row of the sheet waits in two contents of the file, the two are no lines of one order: they come in
    different parts, the newer one last.
    """
    parts: dict[tuple[int, bool, int], list[QuarantinedRow]] = {}
    times: Counter[int] = Counter()
    for row in rows:
        parts.setdefault((row.header_set_id, row.template_id is None, times[row.sheet_row]), []).append(row)
        times[row.sheet_row] += 1
    return list(parts.values())


def _release_rows(
    file: CatalogFile,
    rows: Sequence[QuarantinedRow],
    ordinals: Ordinals,
    *,
    actor: AbstractBaseUser | None,
) -> tuple[list[QuarantinedRow], list[Kept]]:
    """Release rows of a file that is held: those that are released now, and those that stay."""
    plan, template_id = check.plan_for(file, rows[0])
    loader = loader_for(plan)
    loader.begin()
    prepared = check.prepare(rows, plan)
    released: list[QuarantinedRow] = []
    if not prepared.rows.is_empty():
        placed = in_place(rows, prepared, loader, ordinals)
        for entered in enter(placed.rows, loader, ordinals.content, ids=[row.pk for row in rows]):
            row, context = rows[entered.at], placed.contexts[entered.at]
            row.state, row.record_key, row.outcome = QuarantineState.RELEASED, entered.key, entered.outcome
            # The row that stays carries its order's amounts, at the next sync too.
            row.context = as_later_line(context) if entered.gave_way and plan.totals_on_every_line else context
            released.append(row)
        _write_released(released, template_id, actor=actor)
    return released, _write_kept(rows, prepared)


def _write_released(rows: Sequence[QuarantinedRow], template_id: int | None, *, actor: AbstractBaseUser | None) -> None:
    QuarantinedRow.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=QuarantineState.RELEASED,
        template_id=template_id,
        decided_by_id=actor.pk if actor else None,
        decided_at=Now(),
    )
    QuarantinedRow.objects.bulk_update(rows, ("record_key", "outcome", "context"), batch_size=200)


def _write_kept(rows: Sequence[QuarantinedRow], prepared: Prepared) -> list[Kept]:
    """Give rows that stay the reasons of today."""
    kept: list[Kept] = []
    changed: list[QuarantinedRow] = []
    for rejected in prepared.rejected:
        row, reasons = rows[rejected.at], check.reasons_of(rejected)
        if row.reasons != reasons:
            row.reasons = reasons
            changed.append(row)
        kept.append(Kept(row.pk, row.file_id, row.sheet_row, reasons))
    QuarantinedRow.objects.bulk_update(changed, ("reasons",), batch_size=200)
    return kept


def _note_decision(
    file: CatalogFile,
    released: Sequence[QuarantinedRow],
    filters: Filters,
    *,
    actor: AbstractBaseUser | None,
    note: str,
) -> None:
    audit.record(
        AuditAction.ROWS_RELEASED,
        actor=actor,
        file=file,
        rows=len(released),
        note=note,
        detail={
            "sheet_rows": [row.sheet_row for row in released],
            "outcomes": dict(Counter(row.outcome for row in released)),
            "filters": filters_document(filters),
        },
    )
