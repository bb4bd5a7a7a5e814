"""PostgreSQL: probe the unique key by value, COPY what is new straight into the table, update through a staging table.

No join through a scope index: with stale statistics the planner walks the whole shop. No ON CONFLICT: it locks and
rewrites rows that have not changed. The advisory lock makes classify-then-COPY safe.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs
import psycopg
from django.db import connections
from psycopg import sql
from psycopg.adapt import Dumper
from psycopg.pq import Format

from datasync.ingest.load.amounts import CARRIERS, MARK
from datasync.ingest.load.loader import Loader, Stored
from datasync.ingest.load.locks import lock_number
from datasync.ingest.load.moved import GIVEN_UP
from datasync.ingest.load.orders import Asked
from datasync.ingest.load.sides import Leaving

_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_ROWS_A_BLOCK = 4_000
_WRITTEN = sql.SQL("{c} = s.{c}")
_KEPT = sql.SQL("{c} = nullif(coalesce(s.{c}, f.{c}), {given_up})")
_REPLACED = sql.SQL(
    "{c} = nullif(coalesce(s.{c}, CASE WHEN f.file_last_id <> s.file_last_id THEN f.{c} END), {given_up})"
)
_EMPTIED = sql.SQL("{c} = CASE WHEN f.file_last_id <> s.file_last_id THEN f.{c} END")
_UUID, _UUID_ARRAY = 2950, 2951
_CLASSIFY = sql.SQL(
    "{scopes} SELECT array_agg(at) FILTER (WHERE same AND NOT older), array_agg(at) FILTER (WHERE same AND older), "
    "array_agg(at) FILTER (WHERE NOT same), array_agg(newer) FILTER (WHERE NOT same), "
    "array_agg(older) FILTER (WHERE NOT same), array_agg(content_hash) FILTER (WHERE NOT same), {answers} FROM ("
    "SELECT i.at::int - 1 AS at, f.content_hash = i.content_hash AS same, f.content_hash, "
    "f.collected_at > %(collected)s AS newer, f.collected_at < %(collected)s AS older "
    "FROM unnest(%(keys)s::uuid[], %(contents)s::uuid[]) WITH ORDINALITY AS i(record_key, content_hash, at) "
    # LIMIT keeps the planner from joining: each key is probed in the unique index, however large the table is.
    "CROSS JOIN LATERAL (SELECT content_hash, collected_at FROM {table} f WHERE f.record_key = i.record_key LIMIT 1) f"
    ") AS known"
)
_SCOPES = sql.SQL(
    "WITH scopes AS MATERIALIZED (SELECT array_agg(b.beginning) AS stored FROM unnest(%(scopes)s::text[]) "
    # The next key, not any key in a range: of a range the planner may believe that it is met soon in a walk.
    "AS b(beginning) CROSS JOIN LATERAL (SELECT t.record_key FROM {table} t "
    "WHERE t.record_key >= rpad(b.beginning, 32, '0')::uuid ORDER BY t.record_key LIMIT 1) AS f "
    "WHERE f.record_key <= rpad(b.beginning, 32, 'f')::uuid)"
)
_ANSWERS = sql.SQL(
    "(SELECT stored FROM scopes), CASE WHEN count(*) = 0 AND (SELECT stored FROM scopes) IS NOT NULL THEN EXISTS ("
    "SELECT FROM unnest(%(orders)s::text[]) AS i(order_id) CROSS JOIN LATERAL ("
    "SELECT FROM {table} t WHERE t.order_id = i.order_id "
    "AND t.platform_id = %(platform)s AND t.sub_domain = %(sub_domain)s AND t.granularity = %(granularity)s "
    "AND ({any}) OFFSET 0) AS f) END"
)
_NO_ANSWERS = sql.SQL("NULL, NULL")
_CARRIERS = sql.SQL(
    "SELECT i.at, replace(f.record_key::text, '-', ''), replace(f.content_hash::text, '-', ''), f.shop_id, "
    "f.collected_at > %s, f.collected_at = %s, "
    "f.file_last_id = %s, {has} FROM unnest(%s::int[], %s::uuid[], %s::text[], %s::bool[]) "
    "AS i(at, record_key, order_id, itself) CROSS JOIN LATERAL ("
    "SELECT * FROM {table} t WHERE t.order_id = i.order_id AND (t.record_key <> i.record_key OR i.itself) "
    "AND t.platform_id = %s AND t.sub_domain = %s AND t.granularity = %s AND ({any}) "
    "OFFSET 0) f"  # as above: the index of orders is probed for each order
)
_TAKE_AWAY = sql.SQL(
    "UPDATE {table} SET {emptied}, updated_at = %s, "
    "content_hash = overlay(content_hash::text placing {mark} from 1)::uuid WHERE record_key = ANY(%s::uuid[])"
)
_SCHEMA = {"at": pl.UInt32, "same": pl.Boolean, "newer": pl.Boolean, "older": pl.Boolean, "content_hash": pl.String}


class PostgresqlLoader(Loader):
    """Loads through the psycopg connection under Django's."""

    streams = True

    def lock(self) -> str:
        scope = self.plan.scope
        whole = lock_number(scope.platform, scope.domain)
        if scope.shop_id is None:  # rows name their shops: keep every shop of the domain out
            taken, params = "pg_advisory_xact_lock(%s)", [whole]
        else:
            taken = "pg_advisory_xact_lock_shared(%s), pg_advisory_xact_lock(%s)"
            params = [whole, lock_number(scope.platform, scope.domain, scope.shop_id)]
        with connections[self.using].cursor() as cursor:
            named = "set_config('application_name', %s, true)"  # first, as it is by this name that a wait is ended
            cursor.execute(f"SELECT {named}, (now() AT TIME ZONE 'UTC')::text, {taken}", [self.plan.session, *params])
            return str(cursor.fetchone()[1])

    def classify(self, rows: pl.DataFrame, asked: Asked | None = None) -> Stored:
        told: dict[str, Any] = {"collected": self.plan.scope.collected_at}
        told |= {"keys": _Hashes(rows["record_key"]), "contents": _Hashes(rows["content_hash"])}
        statement = self._classifying(asked, told)
        with _cursor(self.using) as cursor:
            cursor.adapters.register_dumper(_Hashes, _HashesDumper)
            cursor.execute(statement, told)
            *arrays, scopes, orders = cursor.fetchone() or [()] * 8
        same, confirmed, changed, newer, older, stored = (array or [] for array in arrays)
        known = [
            pl.DataFrame({"at": at, "same": True, "newer": False, "older": earlier, "content_hash": ""}, schema=_SCHEMA)
            for at, earlier in ((same, False), (confirmed, True))
        ]
        hashes = [content.hex for content in stored]
        differing = {"at": changed, "same": False, "newer": newer, "older": older, "content_hash": hashes}
        frame = pl.concat([*known, pl.DataFrame(differing, schema=_SCHEMA)]).sort("at")
        return Stored(frame, frozenset(scopes or ()), bool(orders))

    def _classifying(self, asked: Asked | None, told: dict[str, Any]) -> sql.Composed:
        """The statement of ``classify``; what it needs to be told about what is asked is added to ``told``."""
        table = sql.Identifier(self.table.name)
        if asked is None:
            return _CLASSIFY.format(table=table, scopes=sql.SQL(""), answers=_NO_ANSWERS)
        scope = self.plan.scope
        told |= {"platform": scope.platform, "sub_domain": scope.sub_domain, "granularity": scope.granularity}
        told |= {"scopes": list(asked.scopes), "orders": list(asked.order_ids)}
        has_any = sql.SQL(" OR ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in asked.amounts)
        answers = _ANSWERS.format(table=table, any=has_any)
        return _CLASSIFY.format(table=table, scopes=_SCOPES.format(table=table), answers=answers)

    def insert(self, rows: pl.DataFrame) -> None:
        self._copy(self.table.name, rows)

    def update(self, rows: pl.DataFrame) -> None:
        staging = f"changed_{self.table.name}"
        assignments = [
            self._assignment(name).format(c=sql.Identifier(name), given_up=sql.Literal(GIVEN_UP))
            for name in (*self.table.updated, *self.table.emptied)
        ]
        with _cursor(self.using) as cursor:
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

    def carriers(self, asked: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        scope = self.plan.scope
        has = [sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in names]
        statement = _CARRIERS.format(
            table=sql.Identifier(self.table.name), has=sql.SQL(", ").join(has), any=sql.SQL(" OR ").join(has)
        )
        of_file = (scope.collected_at, scope.collected_at, self.plan.file_id)
        lines = [asked[name].to_list() for name in ("at", "record_key", "order_id", "itself")]
        with _cursor(self.using) as cursor:
            cursor.execute(statement, (*of_file, *lines, scope.platform, scope.sub_domain, scope.granularity))
            return pl.DataFrame(cursor.fetchall(), schema=CARRIERS | dict.fromkeys(names, pl.Boolean), orient="row")

    def take_away(self, leaving: Leaving) -> None:
        emptied = [sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in sorted(leaving.amounts)]
        mark = sql.Literal(MARK if leaving.mark else "")
        statement = _TAKE_AWAY.format(
            table=sql.Identifier(self.table.name), emptied=sql.SQL(", ").join(emptied), mark=mark
        )
        with _cursor(self.using) as cursor:
            cursor.execute(statement, (self.table.constants["updated_at"], list(leaving.contents)))

    def _assignment(self, name: str) -> sql.SQL:
        if name in self.table.emptied:
            return _EMPTIED
        if name in self.table.replaced:
            return _REPLACED
        return _KEPT if name in self.table.order_level else _WRITTEN

    def _copy(self, table: str, rows: pl.DataFrame) -> None:
        statement = sql.SQL("COPY {table} ({columns}) FROM STDIN").format(
            table=sql.Identifier(table), columns=sql.SQL(", ").join(map(sql.Identifier, self.table.columns))
        )
        complete = self.table.complete(rows)
        with _cursor(self.using) as cursor, cursor.copy(statement) as copy:
            for block in complete.iter_slices(_ROWS_A_BLOCK):  # the server reads one while the next is written
                copy.write(copy_text(block))


@contextmanager
def _cursor(using: str) -> Iterator[psycopg.Cursor[Any]]:
    """A cursor of psycopg's own, with parameters bound by the server and values in binary.

    Its errors are raised as Django's: whoever decides what is worth another try knows only those.
    """
    wrapper = connections[using]
    wrapper.ensure_connection()
    with wrapper.wrap_database_errors, psycopg.Cursor(wrapper.connection) as cursor:
        cursor.format = Format.BINARY
        yield cursor


class _Hashes:
    """128-bit hashes as hexadecimal text, to be sent as an array of uuid."""

    def __init__(self, texts: pl.Series) -> None:
        self.texts = texts


class _HashesDumper(Dumper):
    """Writes PostgreSQL's binary array: one dimension, no nulls, and sixteen bytes behind the length of each item."""

    oid = _UUID_ARRAY
    format = Format.BINARY

    def dump(self, obj: _Hashes) -> bytes:
        count = len(obj.texts)
        items = np.empty(count, dtype=[("length", ">i4"), ("hash", "V16")])
        items["length"] = 16
        items["hash"] = np.frombuffer(bytes.fromhex("".join(obj.texts.to_list())), dtype="V16")
        return np.array([1, 0, _UUID, count, 1], dtype=">i4").tobytes() + items.tobytes()


def copy_text(rows: pl.DataFrame) -> bytes:
    """Rows in COPY's text format: tab between values, ``\\N`` for NULL, backslash escapes.

    ``raw`` is JSON of every cell and ``context`` of what was filled into the row, so a tab, a line end or a backslash
    anywhere in the row shows there as a backslash.
    """
    odd = pl.any_horizontal(pl.col("raw", "context").str.contains("\\", literal=True).any())
    if rows.select(odd.fill_null(value=False)).item():  # only then is there anything to escape in any column
        escaped: pl.Expr = cs.string()
        for character, replacement in _ESCAPES:
            escaped = escaped.str.replace_all(character, replacement, literal=True)
        rows = rows.with_columns(escaped)
    written = io.BytesIO()
    rows.write_csv(written, include_header=False, separator="\t", quote_style="never", null_value="\\N")
    return written.getvalue()
