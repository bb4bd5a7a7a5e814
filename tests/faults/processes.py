"""The processes of a worker, as the kernel sees them."""

from __future__ import annotations

import signal
from pathlib import Path

from django.db import Error, connection

from tests.services import Server, wait_until
from tests.workers import Worker


def pool_of(worker: Worker) -> list[int]:
    """The processes of the worker's pool, by their ids."""
    return children_of(worker.process.pid)


def children_of(process: int) -> list[int]:
    """The children that a process has now; none where it is gone."""
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in listed.split()]


def restart_postgres(server: Server, *, by: signal.Signals) -> None:
    """End the server and start it again; it answers this process on return."""
    server.restart(by=by)
    wait_until(_answers, what="PostgreSQL")


def _answers() -> bool:
    try:
        connection.close()
        connection.ensure_connection()
    except Error:
        return False
    return True
