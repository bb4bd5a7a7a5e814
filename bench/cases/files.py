"""Many small files through the queue: submit, real Celery workers on Redis, until the task is closed."""

from __future__ import annotations

from collections.abc import Iterator

from bench import servers
from bench.measure import Series
from bench.product import Installation, Probe
from bench.report import Result, at_least, rate, seconds
from bench.run import Run
from datasync.samples import bench_orders

_FILES = 1_000
_ROWS = 500
_WARM_UP = 20


def run(run: Run) -> Iterator[Result]:
    """Both formats with two worker processes, then with one."""
    files = run.scaled(_FILES)
    for suffix in (".csv", ".xlsx"):
        installation = run.installation(f"files_{suffix[1:]}", broker=True)
        with Probe(installation) as probe:
            _write(installation, files=files + _WARM_UP, suffix=suffix)
            file_ids = probe.scan()
            by_processes = {number: _measure(run, probe, file_ids, processes=number) for number in (2, 1)}
        name = f"{files:,} files × {_ROWS} rows {suffix[1:]}"
        two, one = by_processes[2].median, by_processes[1].median
        yield at_least(
            f"{name}, 2 workers",
            value=files / two,
            limit=60,
            unit="files/s",
            product=f"{seconds(two)}, {rate(files * _ROWS, two)}",
            against=f"1 worker {files / one:.1f} files/s",
        )


def _write(installation: Installation, *, files: int, suffix: str) -> None:
    for number in range(files):
        stamp = f"{number // 3600:02}{number // 60 % 60:02}{number % 60:02}"
        path = installation.root / f"shopee_orders_monthly_20260201_{stamp}{suffix}"
        bench_orders(path, _ROWS, first=number * _ROWS, total=files * _ROWS)


def _measure(run: Run, probe: Probe, file_ids: list[int], *, processes: int) -> Series:
    """All rows are new in each turn; the workers are warm."""
    series = Series()
    with probe.installation.workers(processes):
        for turn in range(1, run.repeat + 1):
            run.say(f"files: {processes} workers, turn {turn} of {run.repeat}")
            servers.forget_facts(probe.installation.database)
            probe.submit_and_wait(file_ids[:_WARM_UP], inserted=_WARM_UP * _ROWS)
            measured = file_ids[_WARM_UP:]
            series.add(probe.submit_and_wait(measured, inserted=len(measured) * _ROWS))
    return series
