"""Several processes as one: started together, stopped together, each in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Self

from erp.broker import QUEUES

BASE_DIR = Path(__file__).resolve().parent.parent
GRACE_SECONDS = 40.0
_POLL_SECONDS = 0.1
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def worker_command(*, name: str = "worker", processes: int = 2, queues: Sequence[str] = QUEUES) -> list[str]:
    """A Celery worker on the given queues; its processes step back behind the web process (``WORKER_NICE``)."""
    return [
        *(sys.executable, "-m", "celery", "-A", "erp", "worker"),
        *("--hostname", f"{name}@%h", "--concurrency", str(processes), "--queues", ",".join(queues)),
        *("--loglevel", "INFO", "--without-gossip", "--without-mingle"),
    ]


def beat_command() -> list[str]:
    """Celery's clock, on the schedules in the database."""
    return [sys.executable, "-m", "celery", "-A", "erp", "beat", "--loglevel", "INFO", "--pidfile="]


def web_address(host: str, port: int) -> str:
    """Host and port as they stand in an address; an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def web_command(*, host: str, port: int, processes: int = 2, threads: int = 8) -> list[str]:
    """The web process; threads, because requests wait for the database more than they compute."""
    return [
        *(sys.executable, "-m", "gunicorn", "erp.wsgi:application", "--bind", web_address(host, port)),
        *("--worker-class", "gthread", "--workers", str(processes), "--threads", str(threads)),
        *("--worker-tmp-dir", "/dev/shm" if Path("/dev/shm").is_dir() else str(BASE_DIR)),  # noqa: S108
        *("--graceful-timeout", "20", "--log-level", "warning"),
    ]


@dataclass
class Child:
    """One started process and what to call it."""

    name: str
    process: subprocess.Popen[bytes]

    def signal(self, number: signal.Signals) -> None:
        """Signal the process itself; its own children are its business."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """Kill whatever is left of its process group."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


@dataclass
class Supervisor:
    """Runs children until one of them ends or somebody asks to stop. Use as a context manager: leaving stops all."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    children: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], *, output: IO[bytes] | None = None) -> Child:
        """Start one child in its own process group, so that Ctrl-C reaches it only through us."""
        process = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            env=dict(self.environment),
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        child = Child(name=name, process=process)
        self.children.append(child)
        return child

    def ended(self) -> Child | None:
        """The first child that is no longer running."""
        return next((child for child in self.children if child.process.poll() is not None), None)

    def wait(self) -> Child | None:
        """Return the child that ended, or nothing when the operator asked to stop."""
        try:
            while True:
                if child := self.ended():
                    return child
                time.sleep(_POLL_SECONDS)
        except StopRequested:
            return None

    def stop(self) -> None:
        """Ask every child to finish, and kill the groups of those that do not within the grace time."""
        for child in reversed(self.children):
            child.signal(signal.SIGTERM)
        end = time.monotonic() + GRACE_SECONDS
        for child in self.children:
            try:
                child.process.wait(max(0.0, end - time.monotonic()))
            except (subprocess.TimeoutExpired, StopRequested):
                child.signal(signal.SIGKILL)
            child.kill_group()
        for child in self.children:
            child.process.wait()


class StopRequested(BaseException):
    """The operator pressed Ctrl-C or the system asked this process to end."""


def stop_on_signals() -> None:
    """Turn Ctrl-C, SIGTERM and a closed terminal into StopRequested in the main thread."""

    def request(_number: int, _frame: FrameType | None) -> None:
        raise StopRequested

    for number in _STOPPING:
        signal.signal(number, request)
