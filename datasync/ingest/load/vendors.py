"""Which loader serves which database."""

from __future__ import annotations

from django.db import connections

from datasync.ingest.load.loader import Loader
from datasync.ingest.load.postgresql import PostgresqlLoader
from datasync.ingest.load.sqlite import SqliteLoader
from datasync.ingest.plan import Plan


def loader_for(plan: Plan, *, using: str = "default") -> Loader:
    """The loader for the database behind ``using``."""
    return PostgresqlLoader(plan, using) if connections[using].vendor == "postgresql" else SqliteLoader(plan, using)
