"""The default without any server: SQLite."""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import Series
from bench.product import Installation, Probe
from bench.report import Result, at_most, rate, seconds
from bench.run import Run


def run(run: Run) -> Iterator[Result]:
    """A new installation each turn: first load, then again."""
    first, again = Series(), Series()
    for turn in range(1, run.repeat + 1):
        run.say(f"sqlite: turn {turn} of {run.repeat}")
        installation = Installation(run.folder / f"sqlite_{turn}")
        with Probe(installation) as probe:
            file_id = probe.catalogue(run.export(installation, suffix=".csv", rows=run.rows))
            probe.read(file_id)
            first.add(probe.sync(file_id, inserted=run.rows).seconds)
            again.add(probe.sync(file_id, unchanged=run.rows).seconds)
    product = rate(run.rows, first.median)
    yield at_most(f"SQLite, {run.rows:,} rows CSV, first", value=first.median, limit=4, unit="s", product=product)
    yield Result(f"SQLite, {run.rows:,} rows CSV, again", rate(run.rows, again.median), result=seconds(again.median))
