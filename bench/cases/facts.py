"""All facts as CSV: the product's stream against rows fetched and written through Django, in turn, and its memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from bench import servers
from bench.measure import Series
from bench.product import BenchmarkError, Installation, Probe
from bench.report import Result, at_least, at_most, rate, seconds
from bench.run import Run
from erp.supervisor import BASE_DIR

_FULL_ROWS = 1_000_000
_COPIES = """
INSERT INTO datasync_orderline ({columns})
SELECT {values} FROM datasync_orderline AS fact CROSS JOIN generate_series(2, %s) AS copy
"""


def run(run: Run) -> Iterator[Result]:
    """Load one file, copy its rows until there are a million, then export them both ways, each in a fresh process."""
    installation, rows = run.installation("facts"), run.scaled(_FULL_ROWS)
    loaded = max(1, rows // 10)
    with Probe(installation) as probe:
        probe.sync(probe.catalogue(run.export(installation, suffix=".csv", rows=loaded)), inserted=loaded)
    multiply(installation.database, times=10)
    stream, django, peak = Series(), Series(), 0.0
    for turn in range(1, run.repeat + 1):
        run.say(f"facts: turn {turn} of {run.repeat}")
        answer = _export(installation, "stream")
        stream.add(answer["seconds"])
        peak, exported = max(peak, answer["megabytes"]), int(answer["rows"])
        django.add(_export(installation, "django")["seconds"])
    yield at_least(
        f"CSV of {exported:,} facts",
        value=exported / stream.median,
        limit=100_000,
        unit="rows/s",
        product=seconds(stream.median),
        against=f"Django's iterator {rate(exported, django.median)}",
    )
    yield at_most(f"memory, CSV of {exported:,} facts", value=peak, limit=200, unit="MB", product="the whole process")


def multiply(url: str, *, times: int) -> None:
    """Copy every fact with a key of its own."""
    with servers.connect(url) as connection:
        query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'datasync_orderline'"
        columns = [str(name) for (name,) in connection.execute(query)]
        fresh = {"record_key": "md5(fact.record_key::text || copy::text)::uuid"}
        values = ", ".join(fresh.get(name, f"fact.{name}") for name in columns)
        connection.execute(_COPIES.format(columns=", ".join(columns), values=values), (times,))
        connection.execute("VACUUM ANALYZE datasync_orderline")
    servers.settle(url)


def _export(installation: Installation, how: str) -> dict[str, float]:
    """One export in a process of its own; what it says of it."""
    command = [sys.executable, "-m", "bench.export_facts", how]
    answer = subprocess.run(
        command, cwd=BASE_DIR, env=installation.environment, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise BenchmarkError(answer.stderr)
    told: dict[str, float] = json.loads(answer.stdout)
    return told
