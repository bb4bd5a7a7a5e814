"""The most memory that a worker and its reader hold at one moment, over files of the largest size."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.product import Probe
from bench.report import Result, at_most, seconds
from bench.run import Run

_EVERY_SECONDS = 0.02
_LIMITS = ((".csv", 1_048_576, 600.0), (".xlsx", 500_000, 1400.0))


@dataclass(slots=True)
class Peak:
    """Megabytes (10⁶): the highest sum that was sampled, and the sum of each process's own highest."""

    together: float = 0.0
    apart: float = 0.0


def run(run: Run) -> Iterator[Result]:
    """A fresh process for each file, first load into PostgreSQL."""
    for suffix, full, limit in _LIMITS:
        rows = run.scaled(full)
        run.say(f"memory: {rows:,} rows {suffix}")
        installation = run.installation(f"memory_{suffix[1:]}")
        with Probe(installation) as probe:
            file_id = probe.catalogue(run.export(installation, suffix=suffix, rows=rows))
        # A fresh process: cataloguing is not a worker's business.
        with Probe(installation) as probe, watched(probe.pid) as peak:
            took = probe.sync(file_id, inserted=rows).seconds
        yield at_most(
            f"memory, {rows:,} rows {suffix[1:]}",
            value=peak.together,
            limit=limit,
            unit="MB",
            product=f"worker and reader, in {seconds(took)}",
            against=f"each at its own peak {peak.apart:,.0f} MB",
        )


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Sample the process and its children, whichever they are, while the block runs."""
    peak, ended = Peak(), threading.Event()
    highest: dict[int, float] = {}

    def sample() -> None:
        while not ended.is_set():
            now = {member: _megabytes(member) for member in (pid, *_children(pid))}
            peak.together = max(peak.together, sum(resident for resident, _ in now.values()))
            highest.update({member: high for member, (_, high) in now.items() if high})
            time.sleep(_EVERY_SECONDS)

    thread = threading.Thread(target=sample, name="memory", daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()
        peak.apart = sum(highest.values())


def _children(pid: int) -> list[int]:
    try:
        texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for text in texts for child in text.split()]


def _megabytes(pid: int) -> tuple[float, float]:
    """Resident now, and at its highest; nothing for a process that has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0, 0.0
    found = {
        name: int(kilobytes) for name, kilobytes in re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status, re.MULTILINE)
    }
    return found.get("VmRSS", 0) * 1024 / 1e6, found.get("VmHWM", 0) * 1024 / 1e6
