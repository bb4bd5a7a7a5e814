"""Stepping back, with the session where that is its own; staying on a core."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from erp import niceness

_PROGRAM = """
import os, sys
from erp.niceness import step_back
step_back(int(sys.argv[1]))
step_back(3)
print(os.nice(0), open("/proc/self/autogroup").read().split()[-1])
"""
_GROUP = Path("/proc/self/autogroup")

grouped = pytest.mark.skipif(
    not (_GROUP.exists() and _GROUP.read_text()), reason="the kernel does not group processes by session"
)


def _told(nice: int, *, own_session: bool, within: tuple[str, ...] = ()) -> tuple[int, int]:
    command = [*within, sys.executable, "-c", _PROGRAM, str(nice)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=own_session)
    process, group = ran.stdout.split()
    return int(process), int(group)


@grouped
def test_a_program_with_a_session_of_its_own_steps_back_as_a_whole() -> None:
    assert _told(7, own_session=True) == (7, 7)


@grouped
def test_a_session_that_others_share_stays_where_it_is() -> None:
    shared = int(_GROUP.read_text().split()[-1])
    if shared >= 7:
        pytest.skip("the session of the tests steps back itself")
    in_shell = ("sh", "-c", '"$@" & wait $!', "sh", "env")  # its parent leads no session
    assert _told(7, own_session=False, within=in_shell) == (7, shared)


@grouped
def test_a_shell_that_starts_a_program_and_leads_its_session_stays_where_it_is() -> None:
    tell = "echo $(cat /proc/$$/autogroup)"
    script = f'{sys.executable} -c "$0" 7 > /dev/null; {tell}'
    ran = subprocess.run(
        ["sh", "-c", script, _PROGRAM], capture_output=True, text=True, check=True, start_new_session=True
    )
    assert ran.stdout.endswith("nice 0\n")


class Group(type(Path())):  # type: ignore[misc] # the kernel's file, which takes one wish in a while
    refusals = 0

    def write_text(self, *args: Any, **options: Any) -> int:
        if type(self).refusals:
            type(self).refusals -= 1
            raise BlockingIOError
        return int(super().write_text(*args, **options))


@pytest.mark.parametrize(("told", "refusals", "then"), [
    ("/autogroup-1 nice 0\n", 0, "7"),
    ("/autogroup-1 nice 0\n", 3, "7"),
    ("/autogroup-1 nice 0\n", 99, "/autogroup-1 nice 0\n"),
    ("/autogroup-1 nice 9\n", 0, "/autogroup-1 nice 9\n"),
    ("", 0, ""),
])  # fmt: skip
def test_a_wish_is_repeated_for_a_while_and_only_where_it_says_something_new(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    told: str,
    refusals: int,
    then: str,
) -> None:
    group = Group(tmp_path / "autogroup")
    (tmp_path / "autogroup").write_text(told)
    monkeypatch.setattr(Group, "refusals", refusals)
    monkeypatch.setattr(niceness, "_GROUP", group)
    monkeypatch.setattr(niceness, "_PAUSE_SECONDS", 0)
    niceness._step_back_as_a_group(7)
    assert group.read_text() == then
    assert bool(caplog.records) == (refusals > 10)


def test_a_system_that_groups_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(niceness, "_GROUP", tmp_path / "nothing")
    niceness._step_back_as_a_group(7)
    assert not (tmp_path / "nothing").exists()


@grouped
def test_who_steps_back_further_already_is_not_moved_forward() -> None:
    assert _told(7, own_session=True, within=("nice", "-n", "12")) == (12, 7)


def test_a_process_stays_on_the_core_of_its_place() -> None:
    program = "import os, sys; from erp.niceness import stay_on_core; stay_on_core(int(sys.argv[1]));"
    program += "import subprocess; subprocess.run([sys.executable, '-c', 'import os; print(os.sched_getaffinity(0))'])"
    cores = sorted(os.sched_getaffinity(0))
    for place in (0, 1, len(cores)):
        ran = subprocess.run([sys.executable, "-c", program, str(place)], capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == str({cores[place % len(cores)]})
