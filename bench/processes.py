"""What running processes cost: processor time of a process and all below it, as the kernel counts it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench import servers

_TICKS = os.sysconf("SC_CLK_TCK")
_COMPUTATION = "sum(number * number for number in range(30_000_000))"
_STATE, _PARENT, _USER, _CHILDREN_SYSTEM, _NICE = 0, 1, 11, 14, 16
"""Positions of fields of ``/proc/PID/stat`` behind the name."""


def processor_seconds(pid: int) -> float:
    """What the process, those below it and those of them that have ended have used since they began."""
    return sum(sum(map(int, _fields(member)[_USER : _CHILDREN_SYSTEM + 1])) for member in _family(pid)) / _TICKS


def peak_megabytes(pid: int) -> float:
    """The most memory (10⁶ bytes) that one of the process and those below it has held since it began."""
    return max(_peak_kilobytes(member) for member in _family(pid)) * 1024 / 1e6


def niceness(pid: int) -> set[int]:
    """How far the children of the process step back."""
    return {int(_fields(child)[_NICE]) for child in _children(pid)}


def group_niceness(pid: int) -> int | None:
    """How far the session of the process steps back as a whole; None where the kernel does not group by session."""
    try:
        told = Path(f"/proc/{pid}/autogroup").read_text().split()
    except FileNotFoundError:
        return None
    return int(told[-1]) if told else None


def postmaster(database: str) -> int:
    """The process above all those of a PostgreSQL on this machine."""
    with servers.connect(database) as connection:
        (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
        return int(_fields(int(str(backend)))[_PARENT])


def _peak_kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def computing(number: int) -> float:
    """Seconds that so many processes take side by side, each for the same computation, which needs nothing else."""
    began = time.perf_counter()
    for one in [subprocess.Popen([sys.executable, "-c", _COMPUTATION]) for _ in range(number)]:
        one.wait()
    return time.perf_counter() - began


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in _children(pid):
        yield from _family(child)


def _children(pid: int) -> list[int]:
    try:
        texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it has just ended
        return []
    return [int(child) for text in texts for child in text.split()]


def _fields(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 20
