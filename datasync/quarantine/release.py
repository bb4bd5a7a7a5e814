"""Release: rows are judged again under the current template and loaded by the ordinary loader, once and for all.

The file is not needed: what the row had from the rows around it is kept with it. A batch of a file is one transaction,
in which the file, its rows and the loader's lock are taken in this order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
from django.db.models.functions import Now

from datasync import audit
from datasync.choices import AuditAction, QuarantineState
from datasync.ingest.load import loader_for
from datasync.ingest.plan import Plan
from datasync.ingest.prepare import Prepared
from datasync.ingest.prepare.context import as_later_line, line_of
from datasync.ingest.prepare.identity import RecordKeys
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quarantine import amounts, check
from datasync.quarantine.batches import Reached, filters_document, on_chosen
from datasync.quarantine.books import settle
from datasync.quarantine.enter import enter
from datasync.quarantine.ordinals import Ordinals
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


def release(*, filters: Filters, actor: AbstractBaseUser | None, note: str = "", dry_run: bool = False) -> Released:
    """Load the undecided rows that match, as far as they can be trusted now; the others stay, with their new reasons.

    Raises ``RowNotFound`` when only unknown ids are named; ``FileBusy``, ``NoTemplate``, ``HeaderChanged`` or
    ``NeedsDescription`` when they keep every file from being worked on. In a rehearsal nothing is written.
    """
    result = Released()
    numbers: dict[int, Ordinals] = {}

    def act(file: CatalogFile, rows: list[QuarantinedRow]) -> None:
        ordinals = numbers.get(file.pk)
        if ordinals is None:
            numbers.clear()  # files come one after the other
            ordinals = numbers[file.pk] = Ordinals(file.pk)
        outcomes, kept = _release_rows(file, rows, ordinals, actor=actor)
        settle(file, Counter(outcomes.values()))
        if outcomes:
            _note_decision(file, rows, outcomes, filters, actor=actor, note=note)
        result.outcomes.update(outcomes.values())
        result.rejected += len(kept)
        result.kept += kept[: MOST_TOLD - len(result.kept)]

    result.reached = on_chosen(filters, act, dry_run=dry_run)
    return result


def _release_rows(
    file: CatalogFile, rows: Sequence[QuarantinedRow], ordinals: Ordinals, *, actor: AbstractBaseUser | None
) -> tuple[dict[int, str], list[Kept]]:
    """Release rows of a file that is held; gives the outcome of each released row by its id, and what stays."""
    plan, template_id = check.plan_for(file, rows[0])
    loader = loader_for(plan)
    loader.begin()
    prepared = check.prepare(rows, plan)
    outcomes: dict[int, str] = {}
    if not prepared.rows.is_empty():
        accepted = _in_place(rows, prepared, plan, ordinals)
        for at, key, outcome in enter(accepted, loader):
            row = rows[at]
            row.state, row.record_key, row.outcome = QuarantineState.RELEASED, key, outcome
            outcomes[row.pk] = outcome
        _write_released([row for row in rows if row.pk in outcomes], template_id, actor=actor)
    return outcomes, _write_kept(rows, prepared)


def _in_place(rows: Sequence[QuarantinedRow], prepared: Prepared, plan: Plan, ordinals: Ordinals) -> pl.DataFrame:
    """The accepted rows as lines among the stored ones: numbered, and without amounts that other lines have."""
    accepted = prepared.rows
    places: list[int] = accepted["at"].to_list()
    numbered: list[int | None] = [None] * len(rows)
    if plan.ordinal:
        given = ordinals.of(accepted, [line_of(rows[at].context) for at in places], plan)
        accepted = RecordKeys(plan).renumbered(accepted, given)
        for at, ordinal in zip(places, given.to_list(), strict=True):
            numbered[at] = ordinal
    elsewhere = amounts.carried_elsewhere(accepted, plan)
    if not elsewhere:
        return accepted
    if not plan.totals_on_every_line:
        return amounts.without(accepted, elsewhere)
    later = {places[position] for position in elsewhere}
    chosen = [rows[at] for at in places]
    contexts = [
        as_later_line(context) if at in later else context
        for at, context in zip(places, check.contexts_of(chosen, plan), strict=True)
    ]
    again = check.prepare_as(chosen, plan, contexts=contexts, ordinals=[numbered[at] for at in places])
    return again.rows.with_columns(pl.Series("at", [places[at] for at in again.rows["at"]], dtype=pl.UInt32))


def _write_released(rows: Sequence[QuarantinedRow], template_id: int | None, *, actor: AbstractBaseUser | None) -> None:
    QuarantinedRow.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=QuarantineState.RELEASED,
        template_id=template_id,
        decided_by_id=actor.pk if actor else None,
        decided_at=Now(),
    )
    QuarantinedRow.objects.bulk_update(rows, ("record_key", "outcome"), batch_size=200)


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
    rows: Sequence[QuarantinedRow],
    outcomes: Mapping[int, str],
    filters: Filters,
    *,
    actor: AbstractBaseUser | None,
    note: str,
) -> None:
    audit.record(
        AuditAction.ROWS_RELEASED,
        actor=actor,
        file=file,
        rows=len(outcomes),
        note=note,
        detail={
            "sheet_rows": [row.sheet_row for row in rows if row.pk in outcomes],
            "outcomes": dict(Counter(outcomes.values())),
            "filters": filters_document(filters),
        },
    )
