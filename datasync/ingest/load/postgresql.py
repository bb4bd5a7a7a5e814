"""PostgreSQL: probe the unique key by value, COPY what is new straight into the table, update through a staging table.

No join through a scope index: with stale statistics the planner walks the whole shop. No ON CONFLICT: it locks and
rewrites rows that have not changed. The advisory lock makes classify-then-COPY safe.
"""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl
from django.db import connections
from psycopg import sql

from datasync.ingest.load.loader import Loader, Stored

_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_CLASSIFY = sql.SQL(
    "SELECT i.at - 1, f.content_hash = i.content_hash, f.collected_at > %s, f.collected_at < %s, f.content_hash "
    "FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS i(record_key, content_hash, at) "
    "JOIN {table} f ON f.record_key = i.record_key"
)
_SCHEMA = {"at": pl.UInt32, "same": pl.Boolean, "newer": pl.Boolean, "older": pl.Boolean, "content_hash": pl.String}


class PostgresqlLoader(Loader):
    """Loads through the psycopg connection under Django's."""

    streams = True

    def lock(self) -> str:
        scope = self.plan.scope
        whole = _lock_number(scope.platform, scope.domain)
        if scope.shop_id is None:  # rows name their shops: keep every shop of the domain out
            taken, params = "pg_advisory_xact_lock(%s)", [whole]
        else:
            taken = "pg_advisory_xact_lock_shared(%s), pg_advisory_xact_lock(%s)"
            params = [whole, _lock_number(scope.platform, scope.domain, scope.shop_id)]
        with connections[self.using].cursor() as cursor:
            cursor.execute(f"SELECT (now() AT TIME ZONE 'UTC')::text, {taken}", params)
            return str(cursor.fetchone()[0])

    def classify(self, rows: pl.DataFrame) -> Stored:
        collected = self.plan.scope.collected_at
        statement = _CLASSIFY.format(table=sql.Identifier(self.table.name))
        with self._cursor() as cursor:
            cursor.execute(
                statement,
                (collected, collected, _array(rows["record_key"]), _array(rows["content_hash"])),
            )
            known = cursor.fetchall()
        frame = pl.DataFrame(
            [(at, same, newer, older, stored.hex) for at, same, newer, older, stored in known],
            schema=_SCHEMA,
            orient="row",
        )
        return Stored(frame.sort("at"))

    def insert(self, rows: pl.DataFrame) -> None:
        self._copy(self.table.name, rows)

    def update(self, rows: pl.DataFrame) -> None:
        staging = f"changed_{self.table.name}"
        assignments = [
            sql.SQL("{c} = coalesce(s.{c}, f.{c})" if name in self.table.order_level else "{c} = s.{c}").format(
                c=sql.Identifier(name)
            )
            for name in self.table.updated
        ]
        with self._cursor() as cursor:
            cursor.execute(
                sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {staging} (LIKE {table}) ON COMMIT DELETE ROWS").format(
                    staging=sql.Identifier(staging), table=sql.Identifier(self.table.name)
                )
            )
            cursor.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(staging)))
            self._copy(staging, rows)
            cursor.execute(
                sql.SQL("UPDATE {table} f SET {assignments} FROM {staging} s WHERE f.record_key = s.record_key").format(
                    table=sql.Identifier(self.table.name),
                    assignments=sql.SQL(", ").join(assignments),
                    staging=sql.Identifier(staging),
                )
            )

    def _copy(self, table: str, rows: pl.DataFrame) -> None:
        statement = sql.SQL("COPY {table} ({columns}) FROM STDIN").format(
            table=sql.Identifier(table), columns=sql.SQL(", ").join(map(sql.Identifier, self.table.columns))
        )
        block = copy_text(self.table.complete(rows))
        with self._cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(block)

    def _cursor(self) -> Any:
        """A cursor of psycopg's own: COPY and composed statements are not Django's business."""
        wrapper = connections[self.using]
        wrapper.ensure_connection()
        return wrapper.connection.cursor()


def copy_text(rows: pl.DataFrame) -> bytes:
    """Rows in COPY's text format: tab between values, ``\\N`` for NULL, backslash escapes."""
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    special = rows.select(pl.col(texts).str.contains_any([character for character, _ in _ESCAPES]).any())
    for name in texts:
        if special[name][0]:
            escaped = pl.col(name)
            for character, replacement in _ESCAPES:
                escaped = escaped.str.replace_all(character, replacement, literal=True)
            rows = rows.with_columns(escaped)
    return rows.write_csv(include_header=False, separator="\t", quote_style="never", null_value="\\N").encode()


def _array(texts: pl.Series) -> str:
    return "{" + ",".join(texts.to_list()) + "}"


def _lock_number(*parts: object) -> int:
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
