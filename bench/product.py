"""The product as the benchmarks use it: an installation in a folder of its own, and a process that syncs in it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from datasync.samples import bench_orders
from erp.supervisor import BASE_DIR, web_command
from tests.services import free_port, stop_process, wait_until
from tests.workers import Worker

_ELSEWHERE = 99_999_990
"""A line that no measured file holds."""
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


class BenchmarkError(Exception):
    """The product did not do what was measured; its time means nothing."""


@dataclass(frozen=True, slots=True)
class Synced:
    """One sync: seconds from claim to finish, seconds of closing, and where the rows went."""

    seconds: float
    closing: float
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Web:
    """A running web process: host and port, and the process above all of it."""

    address: str
    pid: int


@dataclass(frozen=True, slots=True)
class Installation:
    """Where one installation keeps its things. Without ``database`` it is the embedded default."""

    folder: Path
    database: str = ""
    broker: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Where its export files lie."""
        return self.folder / "inbox"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are started with; nothing of the developer's own settings."""
        values = {name: os.environ[name] for name in _KEPT if name in os.environ}
        values |= {
            "DJANGO_SETTINGS_MODULE": "erp.settings",
            "VAR_DIR": str(self.folder),
            "DATA_ROOTS": str(self.root),
            "GROWING_SECONDS": "0",
            "LOG_LEVEL": "ERROR",
        }
        if self.database:
            values["DATABASE_URL"] = self.database
        if self.broker:
            values["REDIS_URL"] = self.broker
        return values | dict(self.settings)

    @contextmanager
    def workers(self, processes: int) -> Iterator[Worker]:
        """Real Celery workers."""
        worker = Worker.start(
            name="bench",
            processes=processes,
            environment=self.environment,
            log=self.folder / "worker.log",
        )
        try:
            yield worker
        finally:
            worker.stop()

    @contextmanager
    def web(self) -> Iterator[Web]:
        """The web process as ``manage.py serve`` starts it."""
        (self.folder / "static").mkdir(exist_ok=True)
        port = free_port()
        with (self.folder / "web.log").open("wb") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *web_command(host="127.0.0.1", port=port)],
                cwd=BASE_DIR,
                env=self.environment,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(lambda: _answers(port), what="the web process")
            yield Web(f"127.0.0.1:{port}", process.pid)
        finally:
            stop_process(process)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Probe:
    """The client of ``bench.probe``, or of a ``program`` that can do more.

    Its broker is its own memory, unless the installation has one or its own is asked for.
    """

    def __init__(self, installation: Installation, *, program: str = "bench.probe", own_broker: bool = False) -> None:
        self.installation = installation
        installation.root.mkdir(parents=True, exist_ok=True)
        environment = installation.environment
        if not installation.broker and not own_broker:
            environment["CELERY_BROKER_URL"] = "memory://"
        self._process = subprocess.Popen(
            [sys.executable, "-m", program],
            cwd=BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        """Make the tables, and sync a small file: a worker's first file pays for its start."""
        self.ask("install")
        path = self.installation.root / "warm-up" / "shopee_orders_monthly_20260101_000000.csv"
        self.sync(self.catalogue(bench_orders(path, 1, first=_ELSEWHERE, total=_ELSEWHERE + 10)))
        path.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        stop_process(self._process)  # type: ignore[arg-type]

    @property
    def pid(self) -> int:
        """The process that syncs; its reader is its child."""
        return self._process.pid

    def catalogue(self, path: Path) -> int:
        """The id of a file in the root."""
        return int(self.ask("catalogue", str(path)))

    def scan(self) -> list[int]:
        """The ids of all files in the root, by name."""
        return [int(file_id) for file_id in self.ask("scan_root")]

    def sync(self, file_id: int, **expected: int) -> Synced:
        """Sync a file. Raises ``BenchmarkError`` when the books are not as ``expected``."""
        return self._checked(self.ask("sync", file_id), expected)

    def publish_change(self) -> int:
        """Publish another version of the export's template; its id."""
        return int(self.ask("publish_change"))

    def remap(self, template_id: int, **expected: int) -> Synced:
        """Type the stored rows of a template again. Raises ``BenchmarkError`` like ``sync``."""
        return self._checked(self.ask("remap", template_id), expected)

    def read(self, file_id: int) -> float:
        """Seconds of reading a file with the product's reader, nothing else."""
        return float(self.ask("read", file_id))

    def submit_and_wait(self, file_ids: list[int], *, inserted: int) -> float:
        """Seconds from submitting files to the end of the task that workers sync them in."""
        answer = self.ask("submit_and_wait", file_ids)
        if answer["inserted"] != inserted:
            raise BenchmarkError(f"Expected {inserted} rows inserted: {answer}")
        return float(answer["seconds"])

    def _checked(self, answer: Any, expected: Mapping[str, int]) -> Synced:
        for name, number in expected.items():
            if answer["counts"][name] != number:
                raise BenchmarkError(f"Expected {number} rows {name}: {answer['counts']}, {answer['error']}")
        return Synced(answer["seconds"], answer["closing"], answer["counts"])

    def ask(self, what: str, *arguments: Any) -> Any:
        """What the process answers to one of its doors."""
        if self._process.stdin is None or self._process.stdout is None:
            raise BenchmarkError("The probe has no pipes.")
        self._process.stdin.write(json.dumps({"do": what, "with": arguments}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise BenchmarkError(f"The probe ended in {what}; its error stands above.")
        return json.loads(answer)
