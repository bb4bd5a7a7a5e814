"""The product's programs as an operator runs them: in processes and folders of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from erp.supervisor import BASE_DIR
from tests.environment import without_configuration


def embedded(folder: Path) -> dict[str, str]:
    """The environment of an installation of its own, on the embedded database and broker in ``folder``."""
    own = {"VAR_DIR": str(folder), "GROWING_SECONDS": "0", "LOG_LEVEL": "WARNING", "LC_ALL": "C.UTF-8"}
    return without_configuration(os.environ) | own


def start(arguments: Sequence[str], *, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a management command; its output goes to pipes."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(arguments: Sequence[str], *, environment: dict[str, str], seconds: float = 240) -> tuple[int, str, str]:
    """Run a management command to its end: its exit code, and what it wrote to standard output and error."""
    process = start(arguments, environment=environment)
    output, errors = finish(process, seconds=seconds)
    return process.returncode, output, errors


def finish(process: subprocess.Popen[str], *, seconds: float = 240) -> tuple[str, str]:
    """What it wrote until it ended; killed when that takes too long."""
    try:
        return process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def processes_of(folder: Path) -> set[int]:
    """Every running process of the installation in ``folder``, whoever started it."""
    wanted = f"VAR_DIR={folder}".encode()
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
        except OSError:
            continue  # it has just ended, or is somebody else's
    return found
