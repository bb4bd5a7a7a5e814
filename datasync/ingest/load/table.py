"""The columns of a fact table, in the words of the loaders."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from datasync.fields import FIELDS
from datasync.ingest.plan import Plan
from datasync.models import FACT_MODELS, Fact

STAMP = "%Y-%m-%d %H:%M:%S.%f"
_FROM_ROWS = ("record_key", "content_hash", "shop_id", "period_start", "period_end", "currency", "sheet_row",
              "first_sheet_row", "raw", "context")  # fmt: skip
_KEPT_ON_UPDATE = frozenset({"record_key", "file_first_id", "first_sheet_row", "created_at"})


@dataclass(frozen=True, slots=True)
class Table:
    """One file's view of its fact table.

    ``columns`` are those that the file fills, in load order. ``order_level`` are amounts that a blank incoming value
    does not erase. ``constants`` are the same for all rows of the file. ``emptied`` are fields that the file does not
    fill any more, ``replaced`` amounts that it fills in another way: see ``Plan.cleared``.
    """

    name: str
    columns: tuple[str, ...]
    order_level: frozenset[str]
    constants: dict[str, str]
    emptied: tuple[str, ...]
    replaced: frozenset[str]

    @property
    def updated(self) -> tuple[str, ...]:
        """The columns that an update writes."""
        return tuple(column for column in self.columns if column not in _KEPT_ON_UPDATE)

    def complete(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``rows`` with the file's constants, in load order."""
        return rows.with_columns(pl.lit(value).alias(name) for name, value in self.constants.items()).select(
            self.columns
        )


def table_of(plan: Plan, *, now: str) -> Table:
    """The fact table of a plan's domain. ``now`` is the database's time of the transaction, as text in UTC."""
    model: type[Fact] = FACT_MODELS[plan.scope.domain]
    known = FIELDS[plan.scope.domain]
    own = {field.column for field in model._meta.concrete_fields}
    fields = {column.field for column in plan.columns if column.field} - {"currency", "period"}
    fields |= {name for name in ("metric_date", "snapshot_date") if name in plan.identity and name in own}
    if plan.ordinal:
        fields.add("line_ordinal")
    constants = {
        "platform_id": plan.scope.platform,
        "sub_domain": plan.scope.sub_domain,
        "granularity": plan.scope.granularity,
        "collected_at": plan.scope.collected_at.strftime(STAMP),
        "file_first_id": str(plan.file_id),
        "file_last_id": str(plan.file_id),
        "header_set_id": str(plan.header_set_id),
        "created_at": now,
        "updated_at": now,
    }
    if "line_ordinal" in own and not plan.ordinal:
        constants["line_ordinal"] = "1"
    columns = (*_FROM_ROWS, *constants, *sorted(str(name) for name in fields))
    order_level = frozenset(str(name) for name in fields if name in known and known[name].order_level)
    return Table(
        name=model._meta.db_table,
        columns=columns,
        order_level=order_level,
        constants=constants,
        emptied=tuple(sorted((plan.cleared & known.keys() & own) - set(columns))),
        replaced=order_level & plan.cleared,
    )
