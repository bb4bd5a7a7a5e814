"""Real Celery workers for tests: started as in production, ready when they say so, stopped by process id."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from erp.broker import QUEUES
from erp.supervisor import BASE_DIR, worker_command
from tests.services import stop_process, wait_until

_READY = " ready."


@dataclass
class Worker:
    """One ``celery worker`` with its pool."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls,
        *,
        name: str,
        processes: int,
        environment: Mapping[str, str],
        log: Path,
        queues: Sequence[str] = QUEUES,
        within: Sequence[str] = (),
    ) -> Worker:
        """Start it in a process group of its own and return once it takes messages.

        ``within`` is a command that becomes the worker's, such as one that enters a network of its own.
        """
        command = [*within, *worker_command(name=name, processes=processes, queues=queues)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *command],
                cwd=BASE_DIR,
                env=dict(environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        worker = cls(process=process, log=log)
        try:
            wait_until(worker.is_ready, what=f"the worker, whose log is {log}")
        except BaseException:
            worker.kill()
            raise
        return worker

    def is_ready(self) -> bool:
        """Whether it takes messages; a worker that ended says why."""
        if self.process.poll() is not None:
            raise RuntimeError(f"The worker ended at once:\n{self.output()}")
        return _READY in self.output()

    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def stop(self, *, by: signal.Signals = signal.SIGTERM) -> None:
        """End it by its process id, as an operator does."""
        stop_process(self.process, by=by)

    def kill(self) -> None:
        """End it and its pool at once: a warm shutdown takes seconds of polling."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
