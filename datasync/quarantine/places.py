"""Accepted rows as lines among those that are stored: numbered, and without amounts that other lines have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from datasync.ingest.plan import Plan
from datasync.ingest.prepare import Prepared
from datasync.ingest.prepare.context import as_later_line, line_of
from datasync.ingest.prepare.identity import IDENTITY, RecordKeys
from datasync.models import QuarantinedRow
from datasync.quarantine import amounts, check
from datasync.quarantine.contexts import contexts_of, with_line
from datasync.quarantine.ordinals import Ordinals


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows as they go into the loader; ``contexts``: by position, that with which a later sync feeds them again."""

    rows: pl.DataFrame
    contexts: dict[int, str | None]


def in_place(rows: Sequence[QuarantinedRow], prepared: Prepared, plan: Plan, ordinals: Ordinals) -> Placed:
    """Number the accepted ones of ``rows`` and leave each amount of an order on one line."""
    accepted = prepared.rows
    places: list[int] = accepted["at"].to_list()
    numbers: dict[int, int] = {}
    if plan.ordinal:
        given = ordinals.of(accepted, [line_of(rows[at].context) for at in places], plan)
        accepted = RecordKeys(plan).renumbered(accepted, given)
        numbers = dict(zip(places, given.to_list(), strict=True))
    accepted = _amounts_once(rows, accepted, plan, numbers)
    contexts = {
        at: with_line(context, (numbers[at], identity) if at in numbers else None)
        for at, identity, context in accepted.select("at", IDENTITY, "context").iter_rows()
    }
    return Placed(accepted, contexts)


def _amounts_once(
    rows: Sequence[QuarantinedRow], accepted: pl.DataFrame, plan: Plan, numbers: dict[int, int]
) -> pl.DataFrame:
    elsewhere = amounts.carried_elsewhere(accepted, plan)
    if not elsewhere:
        return accepted
    if not plan.totals_on_every_line:
        return amounts.without(accepted, elsewhere)
    places: list[int] = accepted["at"].to_list()
    later = {places[position] for position in elsewhere}
    chosen = [rows[at] for at in places]
    contexts = [
        as_later_line(context) if at in later else context
        for at, context in zip(places, contexts_of(chosen, plan), strict=True)
    ]
    again = check.prepare_as(chosen, plan, contexts=contexts, ordinals=[numbers.get(at) for at in places])
    return again.rows.with_columns(pl.Series("at", [places[at] for at in again.rows["at"]], dtype=pl.UInt32))
