"""Sessions in the database, of which nobody is asked by a key that cannot be one."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore


class SessionStore(DatabaseStore):
    """Django's, which takes any text as a key: a quoted cookie may hold a byte that PostgreSQL takes for no text."""

    def _validate_session_key(self, key: Any) -> bool:
        """Keys are made of letters and digits; whoever sends another one has no session."""
        known = super()._validate_session_key(key)  # type: ignore[misc]  # the stubs leave it out
        return bool(known) and key.isascii() and key.isalnum()
