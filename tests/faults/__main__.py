"""The long run of the fault tests: ``python -m tests.faults [FILE …]``; writes docs/faults.md.

Files that are named are run again; of the others the page tells what came of their last run. Each file of tests is a
session of its own, with its own servers. Most of them wait most of the time, so several run at once; those that measure
how long a caller waits run alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.report import Report

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent.parent / "docs" / "faults.md"
TOLD = FOLDER.parent.parent / "var" / "faults"
LONGEST_FIRST = ("test_kills.py", "test_cancel.py", "test_messages.py", "test_half_open.py", "test_deploy.py")
AT_ONCE = 3


def main(chosen: Sequence[str]) -> int:
    """Run everything, or what is chosen; 1 where something failed, or where the page proves too little."""
    trials = int(os.environ["FAULT_TRIALS"])
    every = sorted(path.name for path in FOLDER.glob("test_*.py"))
    if unknown := set(chosen) - set(every):
        print(f"No such file of fault tests: {', '.join(sorted(unknown))}. Choose from {', '.join(every)}.")
        return 2
    files = [name for name in every if not chosen or name in chosen]
    alone = [name for name in files if " pytest.mark.alone" in (FOLDER / name).read_text(encoding="utf-8")]
    others = sorted(set(files) - set(alone), key=lambda name: (name not in LONGEST_FIRST, name))
    TOLD.mkdir(parents=True, exist_ok=True)
    for name in files:
        _told_by(name).unlink(missing_ok=True)
    passed = [_run(name) for name in alone]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        passed += threads.map(_run, others)
    report = Report()
    for name in every:
        report.read(_told_by(name), session=name)
    PAGE.write_text(report.text(trials=trials), encoding="utf-8")
    for complaint in (complaints := report.complaints(trials=trials)):
        print(complaint)
    return int(bool(complaints) or not all(passed))


def _told_by(name: str) -> Path:
    return TOLD / f"{name}.json"


def _run(name: str) -> bool:
    """Run one file of tests and show what it wrote; whether all of it passed."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--timeout=1800", "--durations=0", str(FOLDER / name)]
    told = os.environ | {"FAULT_TOLD": str(_told_by(name))}
    done = subprocess.run(command, env=told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(f"{done.stdout}\n{name}: {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
