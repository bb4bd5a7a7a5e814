"""Accepted rows as lines among those that are stored: numbered, and without amounts that other lines have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from datasync.ingest.load import Loader
from datasync.ingest.prepare import Prepared
from datasync.ingest.prepare.context import as_later_line, line_of
from datasync.ingest.prepare.identity import IDENTITY, RecordKeys
from datasync.models import QuarantinedRow
from datasync.quarantine import amounts, check
from datasync.quarantine.contexts import contexts_of, with_line
from datasync.quarantine.ordinals import Ordinals
from datasync.quarantine.standing import lines_of, make_way, standing_facts


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows as they go into the loader; ``contexts``: by position, that with which a later sync feeds them again."""

    rows: pl.DataFrame
    contexts: dict[int, str | None]


def in_place(rows: Sequence[QuarantinedRow], prepared: Prepared, loader: Loader, ordinals: Ordinals) -> Placed:
    """Number the accepted ones of ``rows``, take out what they were before, and leave each order's amounts on one line.

    The loader has its lock.
    """
    plan, accepted = loader.plan, prepared.rows
    places: list[int] = accepted["at"].to_list()
    numbers: dict[int, int] = {}
    standing = standing_facts(rows, plan)
    numbered = lines_of(accepted, standing, plan)
    if plan.ordinal:
        lines = [
            line if (line := line_of(rows[at].context)) and line[1] == identity else numbered.get(at)
            for at, identity in zip(places, accepted[IDENTITY], strict=True)
        ]
        given = ordinals.of(accepted, lines, plan)
        accepted = RecordKeys(plan).renumbered(accepted, given)
        numbers = dict(zip(places, given.to_list(), strict=True))
    make_way(accepted, standing, plan, numbered=numbered, content=ordinals.content)
    accepted = _amounts_once(rows, accepted, loader, numbers)
    contexts = {
        at: with_line(context, (numbers[at], identity) if at in numbers else None)
        for at, identity, context in accepted.select("at", IDENTITY, "context").iter_rows()
    }
    return Placed(accepted, contexts)


def _amounts_once(
    rows: Sequence[QuarantinedRow], accepted: pl.DataFrame, loader: Loader, numbers: dict[int, int]
) -> pl.DataFrame:
    plan, elsewhere = loader.plan, amounts.carried_elsewhere(accepted, loader)
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
