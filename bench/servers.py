"""The private PostgreSQL and Redis of a run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tests import services

POSTGRES_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "2GB",
    "effective_cache_size": "8GB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "lz4",
    "random_page_cost": "1.1",
}
"""Safe, and sized for the machine as an operator would; what is not named is PostgreSQL's default."""

Connection = psycopg.Connection[tuple[object, ...]]
FACT_TABLE = "datasync_orderline"
_LOADED = (FACT_TABLE, "datasync_confirmedrows", "datasync_quarantinedrow")


@contextmanager
def postgres() -> Iterator[str]:
    """A server that waits for its disk; its URL, without a database."""
    server = services.start_postgres(POSTGRES_SETTINGS)
    try:
        yield server.url.rsplit("/", 1)[0]
    finally:
        server.stop()


@contextmanager
def redis() -> Iterator[str]:
    """A broker; its URL."""
    server = services.start_redis()
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def own_redis() -> Iterator[services.Server]:
    """A broker that a benchmark may freeze: signals go to ``process``."""
    server = services.start_redis()
    try:
        yield server
    finally:
        server.process.send_signal(signal.SIGCONT)  # one that is frozen does not end when it is told to
        server.stop()


def create_database(server: str, name: str) -> str:
    """A new database; its URL."""
    with connect(f"{server}/postgres") as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{server}/{name}"


def drop_database(server: str, url: str) -> None:
    """Give a large database's room back."""
    with connect(f"{server}/postgres") as connection:
        name = sql.Identifier(url.rpartition("/")[2])
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def connect(url: str) -> Connection:
    """A connection without transactions around statements."""
    return psycopg.connect(url, autocommit=True)


def settle(url: str) -> None:
    """Write out what earlier steps left, so that the next one does not pay for it."""
    with connect(url) as connection:
        connection.execute("CHECKPOINT")


def forget_facts(url: str) -> None:
    """Empty the tables that a load fills."""
    with connect(url) as connection:
        tables = sql.SQL(", ").join(map(sql.Identifier, _LOADED))
        connection.execute(sql.SQL("TRUNCATE {}").format(tables))
    settle(url)
