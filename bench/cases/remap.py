"""Stored rows typed again under a corrected template, against syncing their file again under it."""

from __future__ import annotations

from collections.abc import Iterator

from bench import servers
from bench.cases.memory import watched
from bench.measure import Series, ratio
from bench.product import Probe
from bench.report import Result, at_most, rate, seconds
from bench.run import Run

_FULL_ROWS = 1_000_000
_MOST_MEGABYTES = 600.0


def run(run: Run) -> Iterator[Result]:
    """Each turn publishes two versions of the template: one for the remap, one for the sync. Both rewrite every row."""
    rows = run.scaled(_FULL_ROWS)
    remapping, syncing = Series(), Series()
    peak = 0.0
    installation = run.installation("remap")
    with Probe(installation) as probe:
        file_id = probe.catalogue(run.export(installation, suffix=".csv", rows=rows))
        run.say(f"remap: storing {rows:,} rows")
        probe.sync(file_id, inserted=rows)
    for turn in range(1, run.repeat + 1):
        run.say(f"remap: turn {turn} of {run.repeat}")
        with Probe(installation) as probe:  # a fresh process: what a sync leaves in memory is not counted
            template_id = probe.publish_change()
            servers.settle(installation.database)
            with watched(probe.pid) as seen:
                remapping.add(probe.remap(template_id, updated=rows).seconds)
            peak = max(peak, seen.together)
            probe.publish_change()
            servers.settle(installation.database)
            syncing.add(probe.sync(file_id, updated=rows).seconds)
    yield at_most(
        f"remap of {rows:,} stored rows",
        value=ratio(remapping.seconds, syncing.seconds),
        limit=1.1,
        unit="× syncing again",
        product=f"{seconds(remapping.median)}, {rate(rows, remapping.median)}",
        against=f"the CSV again, all rows updated {seconds(syncing.median)}, {rate(rows, syncing.median)}",
    )
    yield at_most(
        f"memory, remap of {rows:,} rows", value=peak, limit=_MOST_MEGABYTES, unit="MB", product="the worker alone"
    )
