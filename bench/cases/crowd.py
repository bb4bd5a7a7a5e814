"""Many rows in the queue: finding whose turn it is among ten thousand files, and the sweep over a million items."""

from __future__ import annotations

from collections.abc import Iterator

from bench import crowds
from bench.cases.queue import PROGRAM
from bench.measure import Series
from bench.product import Probe
from bench.report import Result, at_most, seconds
from bench.run import Run

_DISPATCHES, _SWEEPS = 300, 15
_FINISHED, _ACTIVE = 1_000_000, 10_000
_FEW, _MANY = 100, 10_000
_SHAPES = {"in ten tasks": 10, "each a task of its own": _MANY}
_TASKS_OF_A_PERSON = 10


def run(run: Run) -> Iterator[Result]:
    """Each on a database of its own."""
    yield from _dispatch(run)
    yield from _sweep(run)


def _dispatch(run: Run) -> Iterator[Result]:
    """The question whose turn it is and the claim, with few files waiting and with many, in turn."""
    installation = run.installation("queue_dispatch", broker=True)
    many = run.scaled(_MANY)
    with Probe(installation, program=PROGRAM) as probe:
        for shape, most_tasks in _SHAPES.items():
            by_files = {files: Series() for files in (_FEW, many)}
            for turn in range(run.repeat):
                run.say(f"queue: dispatch {shape}, turn {turn + 1} of {run.repeat}")
                for files, series in by_files.items():
                    tasks = min(files, most_tasks)
                    people = max(1, tasks // _TASKS_OF_A_PERSON)
                    crowds.queue_up(installation.database, tasks=tasks, files=files, people=people)
                    probe.ask("dispatch", 10)
                    series.add(Series(probe.ask("dispatch", _DISPATCHES)).median)
            few, full = (by_files[files].median for files in (_FEW, many))
            yield at_most(
                f"dispatch of a file, {many:,} waiting {shape}",
                value=full / few,
                limit=1.2,
                unit=f"× {_FEW} waiting",
                product=seconds(full),
                against=seconds(few),
            )


def _sweep(run: Run) -> Iterator[Result]:
    """A sweep that finds nothing to do; a turn waits at the broker."""
    installation = run.installation("queue_sweep", broker=True)
    finished, active = run.scaled(_FINISHED), run.scaled(_ACTIVE)
    with Probe(installation, program=PROGRAM) as probe:
        run.say(f"queue: storing {finished:,} finished items")
        crowds.finish_many(installation.database, items=finished, files=active)
        crowds.queue_up(installation.database, tasks=max(1, active // 100), files=active, people=10)
        probe.ask("sweep_often", 3)
        took = Series(probe.ask("sweep_often", _SWEEPS))
    yield at_most(
        f"sweep over {finished:,} finished and {active:,} active items",
        value=took.median * 1000,
        limit=100,
        unit="ms",
        product=f"slowest {seconds(max(took.seconds))}",
    )
