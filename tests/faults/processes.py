"""The processes of a worker, as the kernel sees them."""

from __future__ import annotations

from pathlib import Path

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
