"""Django's backend for PostgreSQL, for connections that are kept and asked many short questions."""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base, operations
from psycopg import Connection

ServerBindingCursor: Any = base.ServerBindingCursor


class DatabaseOperations(operations.DatabaseOperations):
    """Tells of a prepared statement as well what was asked, though without its values."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """What the log of queries shows."""
        told: str | None = super().last_executed_query(cursor, sql, params)
        return str(sql) if told is None else told


class DatabaseWrapper(base.DatabaseWrapper):
    """Spends no round trip on the question whether it is alive, and can let the server keep the plan of a statement."""

    ops_class = DatabaseOperations

    def is_usable(self) -> bool:
        """Whether the connection holds, as far as its socket knows; the server is asked only where that says something.

        A server that ends closes its connections, and TCP those of a machine that is gone (``erp.connections``). One
        that stands still would not answer this question either.
        """
        connection: Connection[Any] | None = self.connection
        if connection is None or connection.closed:
            return False
        return super().is_usable() if _has_something_to_say(connection) else True

    def prepared_cursor(self) -> Any:
        """A cursor whose statements, once asked a few times, are parsed and planned by the server no more.

        For statements that find rows by a key: their plan does not depend on the values.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = ServerBindingCursor(self.connection)
        return self._prepare_cursor(cursor)  # type: ignore[attr-defined]


def _has_something_to_say(connection: Connection[Any]) -> bool:
    """Whether something was received that nobody has read: an error, a notice, or the end."""
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))
