"""Requests that stay within the transaction of a test, whatever they do with connections of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction

from datasync.ingest.load import read_only
from datasync.runs.remap import preview
from erp.api import event_stream


@pytest.fixture
def one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run reads in the test's transaction, and a stream of events keeps its connection.

    Other tests show that the one cannot write, and that the other holds none between two looks.
    """
    for module in (read_only, preview):
        monkeypatch.setattr(module, "read_only", nullcontext)
    monkeypatch.setattr(event_stream, "connections", SimpleNamespace(close_all=lambda: None))


@contextmanager
def undone() -> Iterator[None]:
    """Afterwards the database is as it was, also where a statement failed, and nothing more waits for the commit."""
    point = transaction.savepoint()
    waiting = list(connection.run_on_commit)
    try:
        yield
    finally:
        connection.run_on_commit = waiting
        transaction.set_rollback(False)
        transaction.savepoint_rollback(point)


@contextmanager
def connection_kept() -> Iterator[None]:
    """Requests neither begin nor end with closing the connection; Django's own client sees to that by itself."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
