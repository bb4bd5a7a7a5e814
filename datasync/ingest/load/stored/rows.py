"""The stored rows that one file wrote last, in sheet order, and the few statements that move rows to other keys."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import polars as pl
from django.db import connections

from datasync.ingest.plan import Plan
from datasync.models import FACT_MODELS, Fact

_SCHEMA: dict[str, Any] = {
    "record_key": pl.String,
    "content_hash": pl.String,
    "row": pl.UInt32,
    "raw": pl.String,
    "context": pl.String,
    "line_ordinal": pl.Int64,
    "header_set_id": pl.Int64,
    "collected_at": pl.String,
    "period_start": pl.String,
    "period_end": pl.String,
    "own": pl.Boolean,
}
_OCCUPANTS = {
    "record_key": pl.String,
    "file_id": pl.Int64,
    "row": pl.Int64,
    "collected_at": pl.String,
}


@dataclass(frozen=True, slots=True)
class _Words:
    """What the two databases say differently."""

    key: str
    content: str
    stamp: str
    day: str  # takes a column
    known_keys: str


_POSTGRESQL = _Words(
    key="replace(record_key::text, '-', '')",
    content="replace(content_hash::text, '-', '')",
    stamp="to_char(collected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
    day="{}::text",
    known_keys="record_key = ANY(%s::uuid[])",
)
_SQLITE = _Words(
    key="record_key",
    content="content_hash",
    stamp="collected_at || ''",  # a bare column would be made a Python value by its declared type
    day="{} || ''",
    known_keys="record_key IN (SELECT value FROM json_each(%s))",
)


@dataclass(frozen=True, slots=True)
class Whose:
    """Which rows are a file's: those that it wrote last, as what it is described as now. ``shop_id`` None: any shop."""

    file_id: int
    domain: str
    platform: str
    sub_domain: str
    granularity: str
    shop_id: int | None

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Those of the plan's file."""
        scope = plan.scope
        told = (str(scope.domain), scope.platform, scope.sub_domain, scope.granularity)
        return cls(plan.file_id, *told, scope.shop_id)


class StoredRows:
    """The rows of one file. All is done in the caller's transaction."""

    def __init__(self, whose: Whose, *, using: str = "default") -> None:
        self._whose = whose
        self._using = using
        self._model: type[Fact] = FACT_MODELS[whose.domain]
        self._name = self._model._meta.db_table
        self._on_postgresql = connections[using].vendor == "postgresql"
        self._words = _POSTGRESQL if self._on_postgresql else _SQLITE

    def read(self, *, after: int, limit: int, until: int | None = None) -> pl.DataFrame:
        """At most ``limit`` rows below sheet row ``after``, up to ``until``. Rows of one sheet row stay together."""
        conditions, values = self._scope()
        conditions += ["sheet_row > %s", *(["sheet_row <= %s"] if until is not None else [])]
        values += [after, *([until] if until is not None else [])]
        columns = {field.column for field in self._model._meta.concrete_fields}
        words = self._words
        statement = f"""
            SELECT {words.key}, {words.content}, sheet_row, raw, context,
                {"line_ordinal" if "line_ordinal" in columns else "NULL"}, header_set_id, {words.stamp},
                {words.day.format("period_start")}, {words.day.format("period_end")}, file_first_id = file_last_id
            FROM "{self._name}" WHERE {" AND ".join(conditions)} ORDER BY sheet_row LIMIT %s
        """  # noqa: S608 - names of our own tables and columns only
        with connections[self._using].cursor() as cursor:
            cursor.execute(statement, [*values, limit + 1])
            found = cursor.fetchall()
        if not self._on_postgresql:
            found = [(*row[:-1], bool(row[-1])) for row in found]
        rows = pl.DataFrame(found, schema=_SCHEMA, orient="row").sort("row", "raw", "record_key")
        if len(rows) <= limit or rows["row"][0] == rows["row"][-1]:
            return rows
        return rows.filter(pl.col("row") < rows["row"][-1])

    def occupants(self, keys: Sequence[str]) -> pl.DataFrame:
        """The rows with these keys: ``record_key``, ``file_id`` and ``row`` of their last file, ``collected_at``."""
        words = self._words
        statement = (
            f'SELECT {words.key}, file_last_id, sheet_row, {words.stamp} FROM "{self._name}" '  # noqa: S608 - own names
            f"WHERE {words.known_keys}"
        )
        with connections[self._using].cursor() as cursor:
            cursor.execute(statement, [self._keys(keys)])
            return pl.DataFrame(cursor.fetchall(), schema=_OCCUPANTS, orient="row")

    def rename(self, keys: Mapping[str, str]) -> None:
        """Give rows other keys, old → new; no new one may be taken."""
        if not keys:
            return
        with connections[self._using].cursor() as cursor:
            if self._on_postgresql:
                cursor.execute(
                    f'UPDATE "{self._name}" f SET record_key = m.new '  # noqa: S608 - own name
                    "FROM unnest(%s::uuid[], %s::uuid[]) AS m(old, new) WHERE f.record_key = m.old",
                    [list(keys), list(keys.values())],
                )
            else:
                cursor.executemany(
                    f'UPDATE "{self._name}" SET record_key = %s WHERE record_key = %s',  # noqa: S608
                    [(new, old) for old, new in keys.items()],
                )

    def delete(self, keys: Sequence[str]) -> None:
        """Remove rows whose content lives on in another row, or in quarantine."""
        if not keys:
            return
        with connections[self._using].cursor() as cursor:
            cursor.execute(f'DELETE FROM "{self._name}" WHERE {self._words.known_keys}', [self._keys(keys)])  # noqa: S608

    def _keys(self, keys: Sequence[str]) -> Any:
        return list(keys) if self._on_postgresql else json.dumps(list(keys))

    def _scope(self) -> tuple[list[str], list[Any]]:
        whose = self._whose
        said = {
            "file_last_id": whose.file_id,
            "platform_id": whose.platform,
            "sub_domain": whose.sub_domain,
            "granularity": whose.granularity,
        }
        if whose.shop_id is not None:
            said["shop_id"] = whose.shop_id
        return [f"{name} = %s" for name in said], list(said.values())
