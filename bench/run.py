"""What the benchmarks of one run share."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.product import Installation
from datasync.samples import bench_orders

FULL_ROWS = 100_000
FULL_LOAD_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Run:
    """How large, how often, and where. ``rows`` scales everything; full size is 100,000."""

    folder: Path
    server: str  # URL of the private PostgreSQL, without a database
    broker: str
    rows: int = FULL_ROWS
    repeat: int = 3
    growth_rows: int = 10_000_000
    load_seconds: int = FULL_LOAD_SECONDS
    slow_peers: bool = False

    @property
    def scaled_down(self) -> bool:
        """Whether the targets mean nothing."""
        smaller = self.rows < FULL_ROWS or self.growth_rows < 10_000_000
        return smaller or self.repeat < 3 or self.load_seconds < FULL_LOAD_SECONDS

    def scaled(self, full: int) -> int:
        """A number of rows or files that is ``full`` at full size."""
        return max(1, full * self.rows // FULL_ROWS)

    def installation(self, name: str, *, broker: bool = False) -> Installation:
        """A fresh installation on a database of its own."""
        database = servers.create_database(self.server, f"bench_{name}")
        return Installation(self.folder / name, database, self.broker if broker else "")

    def export(self, installation: Installation, *, suffix: str, rows: int, day: int = 1, changed: float = 0.0) -> Path:
        """An export of orders in the installation's root, collected on that day of February."""
        path = installation.root / f"shopee_orders_monthly_202602{day:02}_000000{suffix}"
        return bench_orders(path, rows, changed_share=changed)

    def say(self, text: str) -> None:
        """Progress, for whoever waits."""
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
