"""Stepping back: the process, and its session where that is its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import os, sys
from erp.niceness import step_back
step_back(int(sys.argv[1]))
step_back(3)
print(os.nice(0), open("/proc/self/autogroup").read().split()[-1])
"""
_GROUP = Path("/proc/self/autogroup")

pytestmark = pytest.mark.skipif(
    not (_GROUP.exists() and _GROUP.read_text()), reason="the kernel does not group processes by session"
)


def _told(nice: int, *, own_session: bool, within: tuple[str, ...] = ()) -> tuple[int, int]:
    command = [*within, sys.executable, "-c", _PROGRAM, str(nice)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=own_session)
    process, group = ran.stdout.split()
    return int(process), int(group)


def test_a_program_with_a_session_of_its_own_steps_back_as_a_whole() -> None:
    assert _told(7, own_session=True) == (7, 7)


def test_a_session_that_others_share_stays_where_it_is() -> None:
    shared = int(_GROUP.read_text().split()[-1])
    in_shell = ("sh", "-c", '"$@" & wait $!', "sh", "env")  # its parent leads no session
    assert _told(7, own_session=False, within=in_shell) == (7, shared)


def test_who_steps_back_further_already_is_not_moved_forward() -> None:
    assert _told(7, own_session=True, within=("nice", "-n", "12")) == (12, 7)
