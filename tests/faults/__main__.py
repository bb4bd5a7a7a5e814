"""The long run of all fault tests: ``python -m tests.faults``; writes docs/faults.md.

Each file of tests is a session of its own, with its own servers. Most of them wait most of the time, so several run at
once; those that measure how long a caller waits run alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.faults.report import Report

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent.parent / "docs" / "faults.md"
LONGEST_FIRST = ("test_kills.py", "test_cancel.py", "test_messages.py", "test_half_open.py", "test_deploy.py")
AT_ONCE = 3


def main() -> int:
    """Run everything; 1 where something failed, or where the run proves too little."""
    trials, began = int(os.environ["FAULT_TRIALS"]), time.monotonic()
    files = sorted(path.name for path in FOLDER.glob("test_*.py"))
    alone = [name for name in files if "pytest.mark.alone" in (FOLDER / name).read_text(encoding="utf-8")]
    others = sorted(set(files) - set(alone), key=lambda name: (name not in LONGEST_FIRST, name))
    with tempfile.TemporaryDirectory(prefix="erp-faults-") as folder:
        run = partial(_run, Path(folder))
        passed = [run(name) for name in alone]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            passed += threads.map(run, others)
        report = Report()
        for name in files:
            report.read(Path(folder, f"{name}.json"), session=name)
    PAGE.write_text(report.text(trials=trials, minutes=(time.monotonic() - began) / 60), encoding="utf-8")
    for complaint in (complaints := report.complaints(trials=trials)):
        print(complaint)
    return int(bool(complaints) or not all(passed))


def _run(folder: Path, name: str) -> bool:
    """Run one file of tests and show what it wrote; whether all of it passed."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--timeout=1800", "--durations=0", str(FOLDER / name)]
    told = os.environ | {"FAULT_TOLD": str(folder / f"{name}.json")}
    done = subprocess.run(command, env=told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(f"{done.stdout}\n{name}: {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
