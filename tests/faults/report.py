"""The table of a whole long run, from what its sessions tell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.faults.trials import p95_of

KILL_POINTS_A_TRIAL = 5
"""A long run has at least so many for each of its ``TRIALS``: 1,000 of the usual 200."""


@dataclass
class Row:
    """The trials of one test; the names are those of ``Trials``."""

    promise: str
    what: str
    wanted: int
    kill_point: bool
    tried: int
    lost: int
    doubled: int
    failed: int
    seed: int
    recovery: list[float]


@dataclass
class Report:
    """What all sessions tried; ``broken`` are those that ended before they could tell."""

    rows: list[Row] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    ended: list[datetime] = field(default_factory=list)

    def read(self, told: Path, *, session: str) -> None:
        """Add what a session tells."""
        if not told.exists():
            self.broken.append(session)
            return
        self.ended.append(datetime.fromtimestamp(told.stat().st_mtime, UTC))
        document = json.loads(told.read_text(encoding="utf-8"))
        self.rows += [Row(**row) for row in document["trials"]]
        self.skipped += document["skipped"]
        self.failed += document["failed"]

    @property
    def ran(self) -> str:
        """When its sessions ended."""
        if not self.ended:
            return "never run"
        first, last = (f"{moment:%Y-%m-%d %H:%M}" for moment in (min(self.ended), max(self.ended)))
        return f"{first} to {last} UTC"

    @property
    def kill_points(self) -> list[Row]:
        """Where processes died with work in hand, and nothing failed."""
        return [row for row in self.rows if row.kill_point and not row.failed]

    def complaints(self, *, trials: int) -> list[str]:
        """Why the run does not prove what it should."""
        killed, least = sum(row.tried for row in self.kill_points), KILL_POINTS_A_TRIAL * trials
        said = [f"{name} ended before it could tell" for name in self.broken]
        said += [f"{name} failed" for name in self.failed]
        said += [f"{row.promise} {row.what}: failed, FAULT_SEED={row.seed}" for row in self.rows if row.failed]
        said += [f"{row.promise} {row.what}: no trial" for row in self.rows if not row.tried]
        if killed < least:
            said.append(f"{killed} kill points, which are fewer than {least}")
        return said

    def text(self, *, trials: int) -> str:
        """The page in Markdown."""
        rows = sorted(self.rows, key=lambda row: (int(row.promise[1:]), row.what))
        lines = [*_HEADER.format(trials=trials, ran=self.ran).splitlines(), *map(_line, rows)]
        lines.append(f"| **at kill points, together** | {_figures(self.kill_points)}")
        unproven = self.complaints(trials=trials)
        for title, said in (("What this run does not prove", unproven), ("Left out", self.skipped)):
            if said:
                lines += ["", f"## {title}", "", *(f"- {one}" for one in sorted(said))]
        return "\n".join(lines) + "\n"


_HEADER = """\
# What was broken, and what came of it

Written by `make faults` (`TRIALS={trials}`, {ran}): real workers, PostgreSQL and Redis, killed, stopped and starved.

A *trial* is one fault, at a random moment or at a chosen point of a load, and counts once its ledger is balanced: every
row of every file that was submitted is stored once, every file ended as it should, all books add up, nothing is held.
The ledger is checked after each trial, after each round of at most 50 where several faults come at once (G1, G3, G4,
G5, G6, G20), or after the last (G11, and what only clicks and cancels: G15, G16). *n of m*: time ran out. † marks *kill
points*: a process died of SIGKILL (G11: the server of SIGQUIT) with a file in its hands, which it was seen to hold or
which the database says afterwards; only these are summed up.

*Lost* and *doubled* are rows; *failed* is a test that failed in the ledger or anywhere else, and its figures prove
nothing. *Recovery* is the time from the first fault that hit a file to its end, also of those files that are given up
after two crashes. The lease is 60 s, as in production, where a worker dies with all its processes (G4), whose p95 has
to be 90 s at most; in all other tests it is 5 to 8 s, because the time does not matter there, or 60 s without any
lease running out.

| promise | trials | rows lost | rows doubled | failed | recovery, median | recovery, p95 |
|---|---|---|---|---|---|---|"""


def _line(row: Row) -> str:
    return f"| {row.promise} {row.what}{' †' if row.kill_point else ''} | {_figures([row])}"


def _figures(rows: Sequence[Row]) -> str:
    tried, wanted = sum(row.tried for row in rows), sum(row.wanted for row in rows)
    recovery = [seconds for row in rows for seconds in row.recovery]
    counts = " | ".join(str(sum(getattr(row, name) for row in rows)) for name in ("lost", "doubled", "failed"))
    times = f"{median(recovery):.1f} s | {p95_of(recovery):.1f} s" if recovery else "– | –"
    return f"{tried:,}{f' of {wanted:,}' if tried < wanted else ''} | {counts} | {times} |"
