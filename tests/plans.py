"""What a database does to answer a statement."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection


def rows_visited(sql: str, table: str) -> int:
    """How many rows of the table and its indexes PostgreSQL looks at."""
    return _visited(plan(sql), table)


def plan(sql: str) -> dict[str, Any]:
    """How PostgreSQL answered it."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}")
        answer = cursor.fetchone()[0]
    found: dict[str, Any] = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    return found


def scans(sql: str, table: str) -> list[tuple[str, str]]:
    """How it read the table, and by which index."""
    return list(_scans(plan(sql), table))


def sqlite_plan(sql: str) -> str:
    """How SQLite answers it."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(row[3] for row in cursor.fetchall())


def _visited(node: dict[str, Any], table: str) -> int:
    own = 0
    if node.get("Relation Name") == table:
        own = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return int(own) + sum(_visited(part, table) for part in node.get("Plans", ()))


def _scans(node: dict[str, Any], table: str) -> Any:
    if node.get("Relation Name") == table:
        yield node["Node Type"], node.get("Index Name", "")
    for part in node.get("Plans", ()):
        yield from _scans(part, table)
