"""A transaction in which the database itself refuses to write, and which keeps nobody waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction


@contextmanager
def read_only(*, using: str = "default") -> Iterator[None]:
    """Everything inside sees the database as it was at its first query; a write raises a ``DatabaseError``.

    It cannot lie inside another transaction.
    """
    if connections[using].vendor == "postgresql":
        with transaction.atomic(using=using, durable=True):
            with connections[using].cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        with _reading_sqlite(using):
            yield


@contextmanager
def _reading_sqlite(using: str) -> Iterator[None]:
    """Django's own transactions take SQLite's only write lock at once (``BEGIN IMMEDIATE``); this one never does."""
    with connections[using].cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
        try:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        finally:
            cursor.execute("PRAGMA query_only = OFF")
