"""Several processes run as one: they start together and none outlives the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from erp import supervisor as module
from erp.supervisor import BASE_DIR, StopRequested, Supervisor, worker_command
from tests.services import wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    *(sys.executable, "-c"),
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)",
]


def alive(process_id: int) -> bool:
    """Whether a process runs; one that is dead and not yet waited for does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def test_leaving_stops_every_child() -> None:
    with Supervisor() as supervisor:
        children = [supervisor.start(name, SLEEP) for name in ("one", "two")]
        assert all(alive(child.process.pid) for child in children)
    assert not any(alive(child.process.pid) for child in children)


def test_an_error_stops_every_child_too() -> None:
    supervisor = Supervisor()

    def fail() -> None:
        with supervisor:
            supervisor.start("one", SLEEP)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not alive(supervisor.children[0].process.pid)


def test_the_child_that_ended_is_named_with_its_code() -> None:
    with Supervisor() as supervisor:
        supervisor.start("lasting", SLEEP)
        supervisor.start("short", [sys.executable, "-c", "raise SystemExit(7)"])
        ended = supervisor.wait()
    assert ended is not None
    assert (ended.name, ended.process.returncode) == ("short", 7)


def test_a_child_that_ignores_the_request_is_killed_with_its_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.3)
    log = tmp_path / "log"
    with log.open("wb") as output, Supervisor() as supervisor:
        child = supervisor.start("stubborn", STUBBORN, output=output)
        wait_until(lambda: b"on" in log.read_bytes(), what="the child's handler")
        began = time.monotonic()
    assert not alive(child.process.pid)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_the_program_and_its_children(number: signal.Signals, tmp_path: Path) -> None:
    """As a program of its own: signal handlers belong to the main thread of one."""
    program = (
        "import sys\n"
        "from erp.supervisor import StopRequested, Supervisor, stop_on_signals\n"
        "stop_on_signals()\n"
        "try:\n"
        "    with Supervisor() as supervisor:\n"
        "        child = supervisor.start('one', [sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "        print(child.process.pid, flush=True)\n"
        "        assert supervisor.wait() is None\n"
        "except StopRequested:\n"
        "    pass\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=BASE_DIR, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    with process.stdout:
        child = int(process.stdout.readline())
        assert alive(child)
        process.send_signal(number)
        assert process.wait(20) == 0
    assert not alive(child)


def test_a_worker_takes_every_queue_unless_told_otherwise() -> None:
    from erp.broker import QUEUES  # noqa: PLC0415

    command = worker_command()
    assert command[command.index("--queues") + 1].split(",") == list(QUEUES)


def test_stop_requested_is_not_an_ordinary_exception() -> None:
    """Else a handler of errors on the way would swallow Ctrl-C."""
    assert not issubclass(StopRequested, Exception)
