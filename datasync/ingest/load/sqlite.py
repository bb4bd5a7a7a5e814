"""SQLite: one writer at a time anyway, so the transaction itself is the lock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
from django.db import connections

from datasync.ingest.load.loader import Loader, Stored
from datasync.ingest.load.moved import GIVEN_UP
from datasync.ingest.load.table import STAMP

_AT_ONCE = 20_000
_SCHEMA = {"record_key": pl.String, "stored": pl.String, "newer": pl.Int8, "older": pl.Int8}


class SqliteLoader(Loader):
    """Loads with executemany over Django's connection."""

    streams = False

    def lock(self) -> str:
        return datetime.now(UTC).strftime(STAMP)

    def classify(self, rows: pl.DataFrame) -> Stored:
        incoming = rows.select("record_key", "content_hash").with_row_index("at")
        collected = self.plan.scope.collected_at.strftime(STAMP)  # as text: every fact's stamp has this form
        known: list[tuple[str, str, int, int]] = []
        with self._cursor() as cursor:
            for part in incoming.iter_slices(_AT_ONCE):
                keys = '["' + '","'.join(part["record_key"].to_list()) + '"]'
                known += cursor.execute(
                    f'SELECT record_key, content_hash, collected_at > %s, collected_at < %s FROM "{self.table.name}" '  # noqa: S608 - own name
                    "WHERE record_key IN (SELECT value FROM json_each(%s))",
                    [collected, collected, keys],
                ).fetchall()
        stored = pl.DataFrame(known, schema=_SCHEMA, orient="row")
        return Stored(
            incoming.join(stored, on="record_key", maintain_order="left").select(
                "at",
                (pl.col("content_hash") == pl.col("stored")).alias("same"),
                pl.col("newer").cast(pl.Boolean),
                pl.col("older").cast(pl.Boolean),
                pl.col("stored").alias("content_hash"),
            )
        )

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
