"""What a file costs beyond its rows: files of one row."""

from __future__ import annotations

from collections.abc import Iterator

from bench.measure import Series
from bench.product import Probe
from bench.report import Result, at_most, seconds
from bench.run import Run
from datasync.samples import bench_orders

_FILES = 60
_WARM_UP = 10


def run(run: Run) -> Iterator[Result]:
    """New files of one row, each synced once; what its reading alone costs is taken right after."""
    for suffix in (".xlsx", ".csv"):
        run.say(f"fixed: {_FILES} files {suffix}")
        installation = run.installation(f"fixed_{suffix[1:]}")
        synced, read = Series(), Series()
        with Probe(installation) as probe:
            for number in range(_FILES):
                name = f"shopee_orders_monthly_20260201_0000{number:02}{suffix}"
                bench_orders(installation.root / name, 1, first=number * 10, total=_FILES * 10)
            for number, file_id in enumerate(probe.scan()):
                took, reading = probe.sync(file_id, inserted=1).seconds, probe.read(file_id)
                if number >= _WARM_UP:
                    synced.add(took)
                    read.add(reading)
        beyond = Series([mine - other for mine, other in zip(synced.seconds, read.seconds, strict=True)])
        yield at_most(
            f"one row, {suffix[1:]}, beyond reading",
            value=beyond.median * 1000,
            limit=15,
            unit="ms",
            product=seconds(synced.median),
            against=f"reading alone {seconds(read.median)}",
        )
