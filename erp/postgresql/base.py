"""Django's backend for PostgreSQL, for connections that are kept and asked many short questions."""

from __future__ import annotations

import select
import time
from typing import Any

from django.db.backends.postgresql import base, operations
from psycopg import Connection
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName
from psycopg.pq import TransactionStatus

CHECKED_EVERY = 4.0
"""A connection of which the server has said for so many seconds that it holds is asked again before it is used."""
PREPARED_AFTER = 2
"""So often a connection sends the statement of a prepared cursor whole before it lets the server keep it."""
ServerBindingCursor: Any = base.ServerBindingCursor


class PreparedCursor(ServerBindingCursor):  # type: ignore[misc]
    """A cursor whose statements, once asked a few times, are parsed and planned by the server no more.

    Only its own are counted: psycopg would else remember the text of all others, with the values in them.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Ask; once more from the beginning where the server has lost what it kept, or a table has changed."""
        connection: Connection[Any] = self.connection
        before, connection.prepare_threshold = connection.prepare_threshold, PREPARED_AFTER
        try:
            return super().execute(query, params, **options)
        except (FeatureNotSupported, InvalidSqlStatementName):
            if connection.info.transaction_status != TransactionStatus.IDLE:
                raise  # the rollback makes psycopg forget what was prepared
            super().execute("DEALLOCATE ALL")
            return super().execute(query, params, **options)
        finally:
            connection.prepare_threshold = before


class DatabaseOperations(operations.DatabaseOperations):
    """Tells of a prepared statement as well what was asked, though without its values."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """What the log of queries shows."""
        told: str | None = super().last_executed_query(cursor, sql, params)
        return str(sql) if told is None else told


class DatabaseWrapper(base.DatabaseWrapper):
    """Seldom spends a round trip on whether it is alive, and can let the server keep the plan of a statement."""

    ops_class = DatabaseOperations
    _held_at = float("-inf")

    def is_usable(self) -> bool:
        """Whether the connection holds. The server is asked unless it has just said so and all is quiet since.

        A server that ends closes its connections, and TCP those of a machine that is gone (``erp.connections``): both
        show on the socket.
        """
        connection: Connection[Any] | None = self.connection
        if connection is None or connection.closed:
            return False
        now = time.monotonic()
        if now - self._held_at < CHECKED_EVERY and _is_quiet(connection):
            return True
        usable: bool = super().is_usable()
        self._held_at = now if usable else float("-inf")
        return usable

    def prepared_cursor(self) -> Any:
        """A cursor for statements that are asked again and again, whose plan does not depend on their parameters."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = PreparedCursor(self.connection)
        return self._prepare_cursor(cursor)  # type: ignore[attr-defined]


def _is_quiet(connection: Connection[Any]) -> bool:
    """Whether nothing is going on, and nothing was received that nobody has read: an error, a notice, or the end."""
    if connection.info.transaction_status != TransactionStatus.IDLE:
        return False
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return not waiting.poll(0)
