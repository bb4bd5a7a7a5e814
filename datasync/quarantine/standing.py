"""Facts that stand for the very rows that are released: what a remap refused, or a later sync, was stored before."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from django.db.models import QuerySet

from datasync.ingest.decided import fingerprint
from datasync.ingest.plan import Plan
from datasync.ingest.prepare.identity import IDENTITY, RecordKeys
from datasync.ingest.prepare.scope import described_period
from datasync.models import FACT_MODELS, Fact, QuarantinedRow
from datasync.quarantine.content import Content
from datasync.quarantine.contexts import Line, has_all_of


@dataclass(frozen=True, slots=True)
class Standing:
    """A fact of the same row of the file, made of the same cells, with the same texts filled down into it."""

    key: str
    ordinal: int | None


def standing_facts(rows: Sequence[QuarantinedRow], plan: Plan) -> dict[int, list[Standing]]:
    """The facts that the file wrote last from these rows, by position in ``rows``.

    Equal cells below other lines are another row. So are those that the file had when it was described as of another
    shop, or of another period where no column dates its rows: what it said of those stays.
    """
    places: dict[tuple[int, bytes], int] = {(row.sheet_row, fingerprint(row.values)): at for at, row in enumerate(rows)}
    facts = _described(plan).filter(file_last_id=plan.file_id, sheet_row__in={row.sheet_row for row in rows})
    columns = ("record_key", "sheet_row", "raw", "context", *(("line_ordinal",) if plan.ordinal else ()))
    found: dict[int, list[Standing]] = defaultdict(list)
    for key, sheet_row, raw, context, *number in facts.values_list(*columns):
        at = places.get((sheet_row, fingerprint([text or None for text in json.loads(raw)])))
        if at is not None and has_all_of(rows[at].context, context):
            found[at].append(Standing(key.hex, number[0] if number else None))
    return found


def lines_of(rows: pl.DataFrame, standing: Mapping[int, list[Standing]], plan: Plan) -> dict[int, Line]:
    """Which numbered lines the rows are already, by position in the quarantine: those whose identity has not changed.

    ``rows`` are prepared ones, with ``at`` and ``identity``.
    """
    asked = [
        (position, at, fact)
        for position, at in enumerate(rows["at"])
        for fact in standing.get(at, ())
        if fact.ordinal is not None
    ]
    if not asked:
        return {}
    ordinals = pl.Series([fact.ordinal for _position, _at, fact in asked], dtype=pl.Int64)
    keyed = RecordKeys(plan).renumbered(rows[[position for position, _at, _fact in asked]], ordinals)
    same = zip(asked, keyed["record_key"], keyed[IDENTITY], strict=True)
    return {at: (int(fact.ordinal or 1), identity) for (_p, at, fact), key, identity in same if key == fact.key}


def make_way(
    rows: pl.DataFrame,
    standing: Mapping[int, list[Standing]],
    plan: Plan,
    *,
    numbered: Collection[int],
    content: Content,
) -> None:
    """Take facts out that ``rows`` are about to leave for another key: a row of a sheet is one fact.

    A line of the same identity (``numbered``, by position) has left none: the fact is that of an equal line. Neither
    has a row whose fact another released row has confirmed.
    """
    places = {
        fact.key: sheet_row
        for at, key, sheet_row in rows.select("at", "record_key", "sheet_row").iter_rows()
        for fact in standing.get(at, ())
        if fact.key != key and at not in numbered
    }
    others = {key for key, place in content.released(list(places)).items() if place.row != places[key]}
    if leaving := places.keys() - others:
        _facts(plan).filter(record_key__in=leaving).delete()


def _described(plan: Plan) -> QuerySet[Fact]:
    """The facts that are described as the plan's file is now."""
    scope, period = plan.scope, described_period(plan)
    facts = _facts(plan).filter(platform_id=scope.platform, sub_domain=scope.sub_domain, granularity=scope.granularity)
    if scope.shop_id is not None:
        facts = facts.filter(shop_id=scope.shop_id)
    return facts if period is None else facts.filter(period_start=period[0], period_end=period[1])


def _facts(plan: Plan) -> QuerySet[Fact]:
    return FACT_MODELS[plan.scope.domain]._default_manager.all()  # noqa: SLF001 - of whichever model
