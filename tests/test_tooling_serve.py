"""One command runs the product and one Ctrl-C ends all of it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.utils import timezone

from datasync.management.base import ConsoleError
from erp.management.commands import serve
from erp.supervisor import Supervisor, web_address
from tests.programs import embedded, finish, processes_of, run, start
from tests.services import free_port, wait_until

pytestmark = pytest.mark.services


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int, list[str]]]:
    """A running ``serve``, its port, and the lines it greets with."""
    port = free_port()
    arguments = ("serve", "--port", str(port), "--processes", "1", "--web-processes", "1")
    process = start(arguments, environment=embedded(tmp_path))
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    yield process, port, lines
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    finish(process, seconds=60)
    assert processes_of(tmp_path) == set()


def test_it_serves_greets_with_a_password_and_ends_with_ctrl_c(
    served: tuple[subprocess.Popen[str], int, list[str]],
) -> None:
    process, port, lines = served
    assert re.search(r"password \S{12,}", "".join(lines)), lines
    assert "No directory at" not in "".join(lines)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=60) as answer:
        assert json.load(answer)["checks"]["worker"]["status"] == "ok", "welcomed before the worker was there"
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=60) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGINT)
    finish(process, seconds=60)
    assert process.returncode == 0


def test_when_one_child_dies_the_others_are_stopped(
    served: tuple[subprocess.Popen[str], int, list[str]], tmp_path: Path
) -> None:
    process, _port, _lines = served
    os.kill(worker_of(tmp_path), signal.SIGKILL)
    _output, errors = finish(process, seconds=60)
    assert process.returncode == 5
    assert "worker" in errors


def test_a_second_start_creates_no_second_admin(
    served: tuple[subprocess.Popen[str], int, list[str]], tmp_path: Path
) -> None:
    first, _port, _lines = served
    first.send_signal(signal.SIGINT)
    finish(first, seconds=60)
    port = free_port()
    second = start(("serve", "--port", str(port), "--processes", "1"), environment=embedded(tmp_path))
    wait_until(lambda: _answers(port), what="the second start")
    second.send_signal(signal.SIGINT)
    _output, errors = finish(second, seconds=60)
    assert "password" not in errors


def test_without_services_up_refuses_and_says_what_to_set(tmp_path: Path) -> None:
    code, _output, errors = run(("serve", "--services"), environment=embedded(tmp_path))
    assert code == 2
    assert "DATABASE_URL" in errors
    assert "REDIS_URL" in errors


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path, host: str, family: socket.AddressFamily) -> None:
    try:
        other = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with closing(other):
        port = other.getsockname()[1]
        code, _output, errors = run(("serve", "--host", host, "--port", str(port)), environment=embedded(tmp_path))
    assert code == 2
    assert web_address(host, port) in errors
    assert not (tmp_path / "erp.sqlite3").exists()


def test_a_worker_that_never_works_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "START_SECONDS", 0.5)
    monkeypatch.setattr(serve, "_worker_was_heard", lambda since: False)
    with closing(socket.create_server(("127.0.0.1", 0))) as web, pytest.raises(ConsoleError, match="worker"):
        serve._all_answer(Supervisor(), "127.0.0.1", web.getsockname()[1], since=timezone.now())


def worker_of(folder: Path) -> int:
    """The main process of the installation's worker."""
    for process_id in sorted(processes_of(folder)):
        arguments = Path(f"/proc/{process_id}/cmdline").read_bytes().split(b"\0")
        if b"celery" in arguments and b"worker" in arguments:
            return process_id
    raise AssertionError("no worker runs")


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=60) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False
