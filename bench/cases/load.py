"""A large file: the first time, again unchanged, and with a tenth of its rows changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import floor, servers
from bench.measure import Series, ratio
from bench.product import Probe
from bench.report import Result, at_most, rate, seconds
from bench.run import Run

_FIRST_LIMIT = {".xlsx": 1.3, ".csv": 3.0}


@dataclass(slots=True)
class _Figures:
    floor_read: Series = field(default_factory=Series)
    floor: Series = field(default_factory=Series)
    first: Series = field(default_factory=Series)
    closing: Series = field(default_factory=Series)
    again: Series = field(default_factory=Series)
    read: Series = field(default_factory=Series)
    changed: Series = field(default_factory=Series)


def run(run: Run) -> Iterator[Result]:
    """Both formats, each turn: floor, first, again, reading alone, changed."""
    for suffix in (".xlsx", ".csv"):
        installation = run.installation(f"load_{suffix[1:]}")
        with Probe(installation) as probe:
            path = run.export(installation, suffix=suffix, rows=run.rows)
            changed = run.export(installation, suffix=suffix, rows=run.rows, day=2, changed=0.1)
            figures = _Figures()
            for turn in range(1, run.repeat + 1):
                run.say(f"load {suffix}: turn {turn} of {run.repeat}")
                _turn(probe, figures, path=path, changed=changed, rows=run.rows)
        yield from _results(figures, name=f"{run.rows:,} × 24 {suffix[1:]}", suffix=suffix, rows=run.rows)


def _turn(probe: Probe, figures: _Figures, *, path: Path, changed: Path, rows: int) -> None:
    database = probe.installation.database
    servers.forget_facts(database)
    lowest = floor.measure(path, database=database)
    figures.floor.add(lowest.total)
    figures.floor_read.add(lowest.read)
    file_id, changed_id = probe.catalogue(path), probe.catalogue(changed)
    servers.settle(database)
    first = probe.sync(file_id, inserted=rows)
    figures.first.add(first.seconds)
    figures.closing.add(first.closing)
    servers.settle(database)
    figures.again.add(probe.sync(file_id, unchanged=rows).seconds)
    figures.read.add(probe.read(file_id))
    figures.changed.add(probe.sync(changed_id, updated=_changed(rows)).seconds)


def _changed(rows: int) -> int:
    """How many rows of the changed export differ, by the rule of ``bench_orders``."""
    return sum(line * 2_654_435_761 % 10_000 < 1_000 for line in range(rows))


def _results(figures: _Figures, *, name: str, suffix: str, rows: int) -> Iterator[Result]:
    lowest, first, again = figures.floor, figures.first, figures.again
    yield at_most(
        f"{name}, first",
        value=ratio(first.seconds, lowest.seconds),
        limit=_FIRST_LIMIT[suffix],
        unit="× floor",
        product=f"{seconds(first.median)}, {rate(rows, first.median)}",
        against=f"floor {seconds(lowest.median)}, of which reading {seconds(figures.floor_read.median)}",
    )
    yield Result(f"{name}, closing with the quality gate", seconds(figures.closing.median))
    product = f"{seconds(again.median)}, {rate(rows, again.median)}"
    against = f"reading alone {seconds(figures.read.median)} (in-process {seconds(figures.floor_read.median)})"
    if suffix == ".xlsx":
        value = ratio(again.seconds, figures.read.seconds)
        yield at_most(
            f"{name}, again unchanged", value=value, limit=1.15, unit="× reading", product=product, against=against
        )
    else:
        beyond = Series([mine - other for mine, other in zip(again.seconds, figures.read.seconds, strict=True)])
        yield at_most(
            f"{name}, again unchanged",
            value=beyond.median,
            limit=1.0,
            unit="s beyond reading",
            product=product,
            against=against,
        )
    yield at_most(
        f"{name}, 10 % changed",
        value=ratio(figures.changed.seconds, again.seconds),
        limit=1.3,
        unit="× unchanged",
        product=seconds(figures.changed.median),
        against=seconds(again.median),
    )
