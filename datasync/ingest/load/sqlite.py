"""SQLite: one writer at a time anyway, so the transaction itself is the lock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl
from django.db import connections

from datasync.ingest.load.amounts import CARRIERS, MARK
from datasync.ingest.load.loader import Loader, Stored
from datasync.ingest.load.moved import GIVEN_UP
from datasync.ingest.load.orders import Asked
from datasync.ingest.load.sides import Leaving
from datasync.ingest.load.table import STAMP

_AT_ONCE = 20_000
_SCHEMA = {"record_key": pl.String, "stored": pl.String, "newer": pl.Int8, "older": pl.Int8}


class SqliteLoader(Loader):
    """Loads with executemany over Django's connection."""

    streams = False

    def lock(self) -> str:
        return datetime.now(UTC).strftime(STAMP)

    def classify(self, rows: pl.DataFrame, asked: Asked | None = None) -> Stored:
        incoming = rows.select("record_key", "content_hash").with_row_index("at")
        collected = self.plan.scope.collected_at.strftime(STAMP)  # as text: every fact's stamp has this form
        known: list[tuple[Any, ...]] = []
        with self._cursor() as cursor:
            for part in incoming.iter_slices(_AT_ONCE):
                keys = '["' + '","'.join(part["record_key"].to_list()) + '"]'
                statement = (
                    f'SELECT record_key, content_hash, collected_at > %s, collected_at < %s FROM "{self.table.name}" '  # noqa: S608 - own name
                    "WHERE record_key IN (SELECT value FROM json_each(%s))"
                )
                parameters: list[Any] = [collected, collected, keys]
                if asked is not None:
                    (before, told), (after, about) = self._scopes(asked), self._orders(asked)
                    statement, parameters = before + statement + after, [*told, *parameters, *about]
                    asked = None
                known += cursor.execute(statement, parameters).fetchall()
        answers = [row[1] for row in known if row[0] is None]
        stored = pl.DataFrame([row for row in known if row[0] is not None], schema=_SCHEMA, orient="row")
        frame = incoming.join(stored, on="record_key", maintain_order="left").select(
            "at",
            (pl.col("content_hash") == pl.col("stored")).alias("same"),
            pl.col("newer").cast(pl.Boolean),
            pl.col("older").cast(pl.Boolean),
            pl.col("stored").alias("content_hash"),
        )
        return Stored(frame, frozenset(scope for scope in answers if scope is not None), None in answers)

    def _scopes(self, asked: Asked) -> tuple[str, list[Any]]:
        """What goes before the keys' statement: the scopes that are stored."""
        next_key = f'SELECT record_key FROM "{self.table.name}" WHERE record_key >= b.value ORDER BY record_key LIMIT 1'  # noqa: S608 - own name
        stored = f"SELECT b.value AS beginning FROM json_each(%s) AS b WHERE ({next_key}) < b.value || 'g'"  # noqa: S608
        return f"WITH scopes AS MATERIALIZED ({stored}) ", [json.dumps(asked.scopes)]

    def _orders(self, asked: Asked) -> tuple[str, list[Any]]:
        """What goes behind it: rows without a key, which have a stored scope, or nothing where an order is stored."""
        scope = self.plan.scope
        has_any = " OR ".join(f't."{name}" IS NOT NULL' for name in asked.amounts)
        statement = f"""
            UNION ALL SELECT NULL, beginning, NULL, NULL FROM scopes
            UNION ALL SELECT NULL, NULL, NULL, NULL WHERE EXISTS (SELECT 1 FROM scopes) AND EXISTS (
                SELECT 1 FROM json_each(%s) AS i CROSS JOIN "{self.table.name}" AS t
                WHERE t.order_id = i.value
                    AND t.platform_id = %s AND t.sub_domain = %s AND t.granularity = %s AND ({has_any})
            )
        """  # noqa: S608 - own names
        return statement, [json.dumps(asked.order_ids), scope.platform, scope.sub_domain, scope.granularity]

    def insert(self, rows: pl.DataFrame) -> None:
        columns = ", ".join(f'"{name}"' for name in self.table.columns)
        marks = ", ".join(["%s"] * len(self.table.columns))
        self._many(f'INSERT INTO "{self.table.name}" ({columns}) VALUES ({marks})', self.table.complete(rows))  # noqa: S608

    def update(self, rows: pl.DataFrame) -> None:
        names = self.table.updated
        assignments = ", ".join([*map(self._assignment, names), *map(self._emptied, self.table.emptied)])
        self._many(
            f'UPDATE "{self.table.name}" SET {assignments} WHERE record_key = %s',  # noqa: S608
            self.table.complete(rows).select(*names, "record_key"),
        )

    def carriers(self, asked: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        scope = self.plan.scope
        collected = scope.collected_at.strftime(STAMP)
        has = [f't."{name}" IS NOT NULL' for name in names]
        statement = f"""
            SELECT json_extract(i.value, '$[0]'), t.record_key, t.content_hash, t.shop_id,
                t.collected_at > %s, t.collected_at = %s, t.file_last_id = %s, {", ".join(has)}
            FROM json_each(%s) AS i CROSS JOIN "{self.table.name}" AS t
            WHERE t.order_id = json_extract(i.value, '$[2]')
                AND (t.record_key <> json_extract(i.value, '$[1]') OR json_extract(i.value, '$[3]'))
                AND t.platform_id = %s AND t.sub_domain = %s AND t.granularity = %s AND ({" OR ".join(has)})
        """  # noqa: S608 - own names
        found: list[tuple[Any, ...]] = []
        with self._cursor() as cursor:
            for part in asked.select("at", "record_key", "order_id", "itself").iter_slices(_AT_ONCE):
                told = (collected, collected, self.plan.file_id, json.dumps(part.rows()))
                found += cursor.execute(
                    statement, [*told, scope.platform, scope.sub_domain, scope.granularity]
                ).fetchall()
        flags = ("newer", "equal", "own", *names)
        lines = pl.DataFrame(found, schema=CARRIERS | dict.fromkeys(flags, pl.Int64), orient="row")
        return lines.with_columns(pl.col(flags).cast(pl.Boolean))

    def take_away(self, leaving: Leaving) -> None:
        emptied = ", ".join(f'"{name}" = NULL' for name in sorted(leaving.amounts))
        mark = MARK if leaving.mark else ""
        with self._cursor() as cursor:
            cursor.execute(
                f'UPDATE "{self.table.name}" SET {emptied}, updated_at = %s, '  # noqa: S608 - own names
                f"content_hash = '{mark}' || substr(content_hash, {len(mark) + 1}) "
                "WHERE record_key IN (SELECT value FROM json_each(%s))",
                [self.table.constants["updated_at"], json.dumps(list(leaving.contents))],
            )

    def _assignment(self, name: str) -> str:
        if name not in self.table.order_level:
            return f'"{name}" = %s'
        kept = self._unless_own(name) if name in self.table.replaced else f'"{name}"'
        return f"\"{name}\" = nullif(coalesce(%s, {kept}), '{GIVEN_UP}')"

    def _emptied(self, name: str) -> str:
        return f'"{name}" = {self._unless_own(name)}'

    def _unless_own(self, name: str) -> str:
        """What is stored, unless this file has stored it."""
        return f'CASE WHEN "file_last_id" <> {int(self.plan.file_id)} THEN "{name}" END'

    def _many(self, statement: str, rows: pl.DataFrame) -> None:
        with self._cursor() as cursor:
            cursor.executemany(statement, rows.rows())

    def _cursor(self) -> Any:
        return connections[self.using].cursor()
