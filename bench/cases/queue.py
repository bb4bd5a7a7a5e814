"""What the durable queue costs: statements and time for a file, and how soon work starts."""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import Series
from bench.product import Installation, Probe
from bench.report import Result, at_most, seconds
from bench.run import Run
from datasync.samples import bench_orders, bench_shop_orders

PROGRAM = "bench.queue_probe"
_FILES, _STARTS = 200, 60


def run(run: Run) -> Iterator[Result]:
    """Each on a database of its own."""
    yield from _cost(run)
    yield from _starts(run)


def _cost(run: Run) -> Iterator[Result]:
    """Files of one row through the turns of one process: a large task, then as many of one file."""
    installation = run.installation("queue_cost", broker=True)
    with Probe(installation, program=PROGRAM) as probe:
        write(installation, files=2 * _FILES + 1, rows=1)
        warm, *file_ids = probe.scan()
        probe.ask("work_off", [[warm]])
        together, apart = file_ids[:_FILES], [[file_id] for file_id in file_ids[_FILES:]]
        for name, tasks in (("a file of a large task", [together]), ("a file that is a task of its own", apart)):
            run.say(f"queue: {name}")
            cost = probe.ask("work_off", tasks)
            for statement, times in sorted(cost["statements"].items(), key=lambda pair: -pair[1]):
                run.say(f"    {times / cost['files']:.2f} × {statement}")
            statements, files = sum(cost["statements"].values()), cost["files"]
            database, broker = cost["database_seconds"] / files, cost["broker_seconds"] / files
            detail = f"and {cost['commits'] / files:.1f} commits, {cost['messages'] / files:.2f} messages"
            yield at_most(f"queue, {name}", value=statements / files, limit=12, unit="statements", product=detail)
            yield at_most(
                f"queue, {name}",
                value=(database + broker) * 1000,
                limit=10,
                unit="ms",
                product=f"database {seconds(database)}, broker {seconds(broker)}",
            )


def _starts(run: Run) -> Iterator[Result]:
    """Submit to start on one idle worker: with servers, and embedded."""
    served = run.installation("queue_starts", broker=True)
    embedded = Installation(run.folder / "queue_starts_embedded")
    for name, installation, limit in (("Redis", served, 100), ("embedded", embedded, 500)):
        run.say(f"queue: starts, {name}")
        with Probe(installation, program=PROGRAM, own_broker=True) as probe:
            write(installation, files=_STARTS + 1, rows=1)
            warm, *file_ids = probe.scan()
            with installation.workers(1):
                probe.ask("starts", [warm])
                took = Series(probe.ask("starts", file_ids))
        yield at_most(
            f"submit to start on an idle worker, {name}, p95",
            value=took.quantile(0.95) * 1000,
            limit=limit,
            unit="ms",
            product=f"median {seconds(took.median)}",
        )


def write(
    installation: Installation, *, files: int, rows: int, first: int = 0, suffix: str = ".csv", shops: int = 0
) -> None:
    """So many exports that share no key with each other, nor with those of other ``first`` numbers.

    They are those of ``shops`` in turn; without shops they name theirs in each row, so that all have one lock.
    """
    for number in range(first, first + files):
        stamp = f"{number // 3600:02}{number // 60 % 60:02}{number % 60:02}"
        name = f"shopee_orders_monthly_20260201_{stamp}{suffix}"
        if shops:
            folder = installation.root / f"shopee/shopee_shop{number % shops}_sg"
            bench_shop_orders(folder / name, rows, first=number * 10_000)
        else:
            bench_orders(installation.root / name, rows, first=number * 10_000, total=1_000_000_000)
