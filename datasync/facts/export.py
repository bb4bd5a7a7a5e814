"""All rows that match, as a stream of bytes: CSV or lines of JSON, in bounded memory.

The first bytes are made before a stream is given back, so that a query that fails does so before anything was sent. A
stream that fails later raises out of the iteration: whoever sends it must then break off, never end it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import psycopg
from django.db import connections
from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce

from datasync.access import Sight
from datasync.facts.columns import RAW, Column, all_facts, chosen_columns, document, json_value, original_row
from datasync.facts.expressions import Escaped, InUtc, IsoUtc, RawObject
from datasync.facts.filters import Filters, matching
from datasync.facts.selectors import order_of, with_columns
from datasync.models import Fact
from datasync.spreadsheets import escape

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLOCK_BYTES = 256 * 1024
_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is exported, as far as it is in sight.

    Without an ordering the rows come as the database finds them, which is fastest. ``bom``: a byte order mark in front
    of CSV, by which spreadsheets know UTF-8.
    """

    domain: str
    sight: Sight
    filters: Filters = field(default_factory=Filters)
    fields: Sequence[str] = ()
    ordering: str | None = None
    raw: bool = False
    bom: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns chosen."""
        return chosen_columns(self.domain, self.fields)

    @property
    def rows(self) -> QuerySet[Fact]:
        """The rows chosen; to find those of a shop asks the database."""
        rows = matching(self.domain, self.filters, sight=self.sight)
        return rows.order_by(*order_of(self.ordering)) if self.ordering else rows.order_by()

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns] + [RAW] * self.raw


@dataclass(frozen=True, slots=True)
class Block:
    """Some bytes, and how many rows they are."""

    data: bytes
    rows: int


class Stream:
    """Blocks of bytes, the first already made. Closing it frees its connection, wherever it stands.

    ``rows`` is the number of those given out so far.
    """

    def __init__(self, blocks: Generator[Block, None, None]) -> None:
        self.rows = 0
        self._blocks = blocks
        self._first = next(blocks, None)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        block, self._first = self._first or next(self._blocks), None
        self.rows += block.rows
        return block.data

    def close(self) -> None:
        """Stop reading."""
        self._blocks.close()


def csv_stream(export: Export) -> Stream:
    """UTF-8 CSV with a header; times in UTC, NULL as an empty field, no cell that a spreadsheet would calculate."""
    return Stream(_copied(export) if _is_copied(export) else _written(export))


def json_stream(export: Export) -> Stream:
    """One JSON object a line, as the pages of the API have them."""
    return Stream(_copied_json(export) if _is_copied(export) else _blocks(_json_lines(export)))


def _is_copied(export: Export) -> bool:
    """Whether the database writes the bytes itself."""
    return connections[all_facts(export.domain).db].vendor == "postgresql"


def _head(export: Export) -> bytes:
    return (BYTE_ORDER_MARK if export.bom else b"") + _csv_line(export.header)


def _csv_line(cells: Sequence[Any]) -> bytes:
    """A line as PostgreSQL writes it: ended by a line feed, a lone carriage return in quotes."""
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().removesuffix("\r\n").encode("utf-8", "replace") + b"\n"


def _copied(export: Export) -> Generator[Block, None, None]:
    """Let PostgreSQL write the CSV."""
    rows = export.rows.values_list(*_expressions(export))
    yield from _copy(rows, "COPY ({sql}) TO STDOUT WITH (FORMAT csv, ENCODING 'UTF8')", head=_head(export))


def _copied_json(export: Export) -> Generator[Block, None, None]:
    """Let PostgreSQL write the objects: JSON holds no bare control character, so that CSV by such quotes nothing."""
    rows = export.rows.values_list(*_json_expressions(export))
    names = ", ".join(f'"{name}"' for name in export.header)
    yield from _copy(
        rows,
        f"COPY (SELECT row_to_json(told) FROM ({{sql}}) AS told ({names})) "  # noqa: S608 - our own names
        "TO STDOUT WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02', ENCODING 'UTF8')",
    )


def _copy(rows: QuerySet[Any, Any], statement: str, *, head: bytes = b"") -> Generator[Block, None, None]:
    """Copy rows out on a connection of its own: what is left unread goes with the connection."""
    with closing(connections[rows.db].copy()) as connection:
        connection.ensure_connection()
        server: psycopg.Connection[Any] = connection.connection
        sql, params = rows.query.get_compiler(connection=connection, elide_empty=False).as_sql()
        with server.transaction(), psycopg.ClientCursor(server) as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            with cursor.copy(statement.format(sql=sql), params) as copied:
                yield from _blocks(copied, head=head)


def _expressions(export: Export) -> list[Any]:
    found: list[Any] = []
    for column in export.columns:
        source = F(column.source)
        found.append(Escaped(source) if column.is_text else InUtc(source) if column.is_moment else source)
    if export.raw:
        found.append(RawObject(F("raw"), F("header_set__names")))
    if len(found) == 1:  # NULL alone would be an empty line, which readers skip
        return [Coalesce(Cast(found[0], TextField()), Value(""), output_field=TextField())]
    return found


def _json_expressions(export: Export) -> list[Any]:
    """What ``columns.json_value`` makes of a value: amounts as text, points in time with their ``Z``."""
    found: list[Any] = []
    for column in export.columns:
        source = F(column.source)
        found.append(Cast(source, TextField()) if column.is_exact else IsoUtc(source) if column.is_moment else source)
    return [*found, RawObject(F("raw"), F("header_set__names"))] if export.raw else found


def _written(export: Export) -> Generator[Block, None, None]:
    """Write the CSV row by row."""
    columns = export.columns
    rows = with_columns(export.rows, columns, raw=export.raw)

    def lines() -> Iterator[bytes]:
        for row in rows.iterator(chunk_size=_ROWS_AT_ONCE):
            cells = [_cell(row[column.source]) for column in columns]
            if export.raw:
                cells.append(_compact(original_row(row["header_set__names"], row["raw"])))
            yield _csv_line(cells)

    yield from _blocks(lines(), head=_head(export))


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return json_value(value)


def _json_lines(export: Export) -> Iterator[bytes]:
    columns = export.columns
    rows = with_columns(export.rows, columns, raw=export.raw)
    for row in rows.iterator(chunk_size=_ROWS_AT_ONCE):
        yield _compact(document(row, columns, raw=export.raw)).encode("utf-8", "replace") + b"\n"


def _compact(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _blocks(rows: Iterator[bytes] | psycopg.Copy, head: bytes = b"") -> Generator[Block, None, None]:
    """Gather rows into blocks that are worth sending."""
    waiting, size = [head], len(head)
    for row in rows:
        waiting.append(bytes(row))
        size += len(row)
        if size >= _BLOCK_BYTES:
            yield Block(b"".join(waiting), len(waiting) - 1)
            waiting, size = [b""], 0
    if size:
        yield Block(b"".join(waiting), len(waiting) - 1)
