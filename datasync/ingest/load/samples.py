"""Some rows of each outcome of a dry run, with what an update would change in them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

import polars as pl
from django.db.models import DateTimeField, DecimalField, Field, QuerySet

from datasync.fields import FIELDS
from datasync.ingest.load.moved import GIVEN_UP
from datasync.ingest.load.table import Table
from datasync.ingest.plan import Plan
from datasync.models import FACT_MODELS, Fact

MOST_SAMPLES = 20
INSERTED, UPDATED, UNCHANGED, STALE = "inserted", "updated", "unchanged", "stale"
LOADED = (INSERTED, UPDATED, UNCHANGED, STALE)
_SHOWN_TOO = ("line_ordinal", "period_start", "period_end", "currency")
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that an update changes. ``field`` is blank for a column that no field is bound to."""

    field: str
    header: str
    stored: str | int | None
    new: str | int | None


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A row of a file; values are plain: numbers with a fraction, days and times (UTC) as text."""

    sheet_row: int
    identity: dict[str, str | int | None]
    values: dict[str, str | int | None]
    differences: tuple[Difference, ...] = field(default=())


class Samples:
    """The first rows of each outcome, at most ``MOST_SAMPLES``, as the whole file leaves them.

    A row of an earlier batch may be overwritten by a later one; so what became of a row is decided at the end, by
    comparing its last content with what the table holds.
    """

    def __init__(self, plan: Plan, table: Table, *, using: str) -> None:
        self._plan = plan
        self._using = using
        self._model: type[Fact] = FACT_MODELS[plan.scope.domain]
        self._table = table
        known = FIELDS[plan.scope.domain]
        of_rows = [name for name in table.columns if name not in table.constants]
        self._fields = [name for name in of_rows if name in known or name in _SHOWN_TOO]
        self._taken = ["record_key", "content_hash", "sheet_row", "raw", *self._fields]
        self._rows: dict[str, dict[str, _Row]] = {outcome: {} for outcome in LOADED}
        self._blended: set[str] = set()  # keys whose blank amounts do not undo what an earlier batch wrote

    def take(self, outcome: str, rows: pl.DataFrame) -> None:
        """Keep the first of the rows, while there is room for more of this outcome.

        A row that is kept already, of an earlier batch, has this outcome now and no other.
        """
        kept = self._rows[outcome]
        others = [of_outcome for name, of_outcome in self._rows.items() if name != outcome]
        if any(others):
            for key in rows["record_key"].filter(rows["record_key"].is_in([key for held in others for key in held])):
                for held in others:
                    held.pop(key, None)
        for row in rows.head(MOST_SAMPLES - len(kept)).select(self._taken).to_dicts():
            kept[row["record_key"]] = row

    def overwrite(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Bring the kept rows up to date with these of the same keys; the rows of other keys are given back."""
        kept = {key: of_outcome for of_outcome in self._rows.values() for key in of_outcome}
        mine = rows["record_key"].is_in(list(kept))
        for row in rows.filter(mine).select(self._taken).to_dicts():
            earlier = kept[row["record_key"]][row["record_key"]]
            blanks = {name: earlier[name] for name in self._kept_blank(own=True) if row[name] is None}
            kept[row["record_key"]][row["record_key"]] = row | blanks
            if any(value is not None for value in blanks.values()):
                self._blended.add(row["record_key"])
        return rows.filter(~mine)

    def give_up(self, keys: Iterable[str], amounts: Iterable[str]) -> None:
        """Kept rows of these keys lose amounts that they have kept so far."""
        lost = dict.fromkeys(amounts, GIVEN_UP)
        for of_outcome in self._rows.values():
            for key in of_outcome.keys() & set(keys):
                of_outcome[key] |= lost

    def result(self) -> dict[str, list[SampleRow]]:
        """The samples by what became of them."""
        keys = [UUID(key) for outcome in LOADED if outcome != STALE for key in self._rows[outcome]]
        stored: dict[UUID, Fact] = QuerySet(self._model, using=self._using).in_bulk(keys)
        found: dict[str, list[SampleRow]] = {outcome: [] for outcome in LOADED}
        for outcome, rows in self._rows.items():
            for key, row in rows.items():
                fact = stored.get(UUID(key))
                final = STALE if outcome == STALE else _outcome(row, fact, blended=key in self._blended)
                differences = self._differences(row, fact) if final == UPDATED and fact else ()
                found[final].append(self._sample(row, differences))
        return {
            outcome: sorted(rows, key=lambda sample: sample.sheet_row)[:MOST_SAMPLES] for outcome, rows in found.items()
        }

    def _sample(self, row: _Row, differences: Iterable[Difference]) -> SampleRow:
        values = {name: self._plain(name, row[name]) for name in self._fields}
        names = (*self._plan.identity, *(("line_ordinal",) if self._plan.ordinal else ()))
        identity = {name: values.get(name) for name in names}
        return SampleRow(row["sheet_row"], identity, values, tuple(differences))

    def _differences(self, row: _Row, fact: Fact) -> list[Difference]:
        """What the update changes: typed values, those it clears, and cells that no field is bound to."""
        headers = {column.field: column.header for column in self._plan.columns if column.field}
        own = fact.file_last_id == self._plan.file_id
        kept_blank = self._kept_blank(own=own)
        found = []
        for name in (*self._fields, *(self._table.emptied if own else ())):
            if row.get(name) is None and name in kept_blank:
                continue
            stored, new = self._plain(name, getattr(fact, name)), self._plain(name, row.get(name))
            if stored != new:
                found.append(Difference(name, headers.get(name, ""), stored, new))
        return [*found, *self._other_cells(row, fact)]

    def _kept_blank(self, *, own: bool) -> frozenset[str]:
        """Amounts that a blank leaves as they are; ``own``: in a row that this file wrote last."""
        return self._table.order_level - self._table.replaced if own else self._table.order_level

    def _other_cells(self, row: _Row, fact: Fact) -> list[Difference]:
        """Cells without a field, by their header; nothing where the stored row stands under another header."""
        if fact.header_set_id != self._plan.header_set_id or fact.raw == row["raw"]:
            return []
        cells = zip(self._plan.columns, json.loads(fact.raw), json.loads(row["raw"]), strict=False)
        return [
            Difference("", column.header, old or None, new or None)
            for column, old, new in cells
            if column.field is None and old != new
        ]

    def _plain(self, name: str, value: Any) -> str | int | None:
        """A stored value, or one on its way into the table, in the same words."""
        if value is None or value == GIVEN_UP:
            return None
        column: Field[Any, Any] = self._model._meta.get_field(name)  # type: ignore[assignment]
        known = column.to_python(value)
        if isinstance(column, DecimalField):
            return f"{Decimal(known).quantize(Decimal(1).scaleb(-column.decimal_places), ROUND_HALF_UP):f}"
        if isinstance(column, DateTimeField):
            moment: datetime = known
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return known if isinstance(known, int) else str(known)


def _outcome(row: _Row, fact: Fact | None, *, blended: bool) -> str:
    if fact is None:
        return INSERTED
    return UNCHANGED if fact.content_hash == UUID(row["content_hash"]) and not blended else UPDATED
