"""One person's large batch, and beside it another's single files."""

from __future__ import annotations

from collections.abc import Iterator

from bench.cases.queue import PROGRAM, write
from bench.measure import Series
from bench.product import Probe
from bench.report import Result, at_most, seconds
from bench.run import Run


def run(run: Run) -> Iterator[Result]:
    """On two worker processes; the single files come one after another."""
    files, singles = run.scaled(1_000), 10
    installation = run.installation("queue_fairness", broker=True)
    with Probe(installation, program=PROGRAM) as probe:
        write(installation, files=files + singles, rows=500)
        file_ids = probe.scan()
        with installation.workers(2):
            run.say(f"queue: a file beside a batch of {files:,}")
            answer = probe.ask("beside", file_ids[singles:], file_ids[:singles])
    took, usual = Series(answer["seconds"]), Series(answer["batch_seconds"])
    yield at_most(
        f"a single file beside another's batch of {files:,}, the slowest of {singles}",
        value=max(took.seconds),
        limit=round(2 * usual.median + 2, 2),
        unit="s",
        product=f"median {seconds(took.median)}",
        against=f"a file of the batch {seconds(usual.median)}; {answer['left']:,} of them waited at the end",
    )
