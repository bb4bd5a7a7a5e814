"""One worker process against two, what limits them, and many of them on paper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bench import processes, servers
from bench.cases.queue import PROGRAM, write
from bench.measure import Series, ratio
from bench.product import Installation, Probe
from bench.report import Result, at_least, seconds
from bench.run import Run
from bench.simulation import Service, simulate

_FILES, _WARM_UP, _LOCKED = 300, 20, 20
_MESSAGE_SECONDS = 0.0015
_MESSAGES_A_SECOND = 1.0
_PAPER = ((4, 2), (16, 4), (64, 8))
"""Workers, and the cores of the database's machine."""
_SHOPS = 32


@dataclass(frozen=True, slots=True)
class _Kind:
    """Files to be synced; ``again`` those that have not changed since. ``least``: what two workers must give."""

    name: str
    suffix: str
    rows: int
    again: bool
    least: float | None


_KINDS = (
    _Kind("xlsx of 2,000 rows, unchanged", ".xlsx", 2_000, again=True, least=1.7),
    _Kind("csv of 500 rows, new", ".csv", 500, again=False, least=None),
)


@dataclass(slots=True)
class _Figures:
    """Seconds for all files, and the processor time of workers and of the database meanwhile."""

    took: Series = field(default_factory=Series)
    workers: Series = field(default_factory=Series)
    database: Series = field(default_factory=Series)

    def cores(self, part: Series) -> float:
        return part.median / self.took.median


def run(run: Run) -> Iterator[Result]:
    """What the machine itself gives; work that leaves the database idle, and work that does not."""
    files = run.scaled(_FILES)
    yield _of_the_machine(run)
    for kind in _KINDS:
        installation = run.installation(f"scale_{kind.suffix[1:]}", broker=True)
        with Probe(installation, program=PROGRAM) as probe:
            write(installation, files=files + _WARM_UP, rows=kind.rows, suffix=kind.suffix, shops=_SHOPS)
            file_ids = probe.scan()
            one, two, apart = _Figures(), _Figures(), _Figures()
            own_core = replace(installation, settings={**installation.settings, "WORKER_OWN_CORE": "true"})
            if kind.again:
                with installation.workers(2):
                    probe.submit_and_wait(file_ids, inserted=len(file_ids) * kind.rows)
            for turn in range(run.repeat):
                for number, where, figures in ((1, installation, one), (2, installation, two), (2, own_core, apart)):
                    run.say(f"scale: {kind.name}, {number} workers, turn {turn + 1} of {run.repeat}")
                    _measure(where, probe, file_ids, figures, kind=kind, number=number)
            if not kind.again:
                servers.forget_facts(installation.database)
            locked = Series(probe.ask("locked", file_ids[:_LOCKED]))
        what = f"2 workers against 1, {files:,} × {kind.name}"
        yield _compared(what, one, two, files=files, least=kind.least)
        yield _compared(f"{what}, a core each (WORKER_OWN_CORE)", one, apart, files=files, least=kind.least)
        yield from _on_paper(kind, one, files=files, locked=locked.median)


def _of_the_machine(run: Run) -> Result:
    """What two processes give that wait for nothing and share nothing: no program scales better here."""
    one, two = Series(), Series()
    for turn in range(run.repeat):
        run.say(f"scale: the machine itself, turn {turn + 1} of {run.repeat}")
        for number, series in ((1, one), (2, two)):
            series.add(processes.computing(number) / number)
    return Result(
        "the machine itself: 2 processes that only compute against 1",
        f"{1 / two.median:.2f} against {1 / one.median:.2f} computations/s",
        result=f"{ratio(one.seconds, two.seconds):.2f} × 1 process",
    )


def _measure(
    installation: Installation,
    probe: Probe,
    file_ids: list[int],
    figures: _Figures,
    *,
    kind: _Kind,
    number: int,
) -> None:
    """One turn with so many worker processes, which are warm."""
    new = 0 if kind.again else kind.rows
    postmaster = processes.postmaster(installation.database)
    if not kind.again:
        servers.forget_facts(installation.database)
    with installation.workers(number) as worker:
        probe.submit_and_wait(file_ids[:_WARM_UP], inserted=_WARM_UP * new)
        measured = file_ids[_WARM_UP:]
        before = [processes.processor_seconds(pid) for pid in (worker.process.pid, postmaster)]
        figures.took.add(probe.submit_and_wait(measured, inserted=len(measured) * new))
        after = [processes.processor_seconds(pid) for pid in (worker.process.pid, postmaster)]
    for series, begun, ended in zip((figures.workers, figures.database), before, after, strict=True):
        series.add(ended - begun)


def _compared(what: str, one: _Figures, two: _Figures, *, files: int, least: float | None) -> Result:
    rates = f"{files / two.took.median:.1f} against {files / one.took.median:.1f} files/s"
    used = [figures.cores(figures.workers) + figures.cores(figures.database) for figures in (one, two)]
    cores = os.cpu_count() or 1
    limit = (
        "the processors"
        if used[1] > 0.9 * cores
        else "waiting: for a shop's lock, the reader, the disk, or a core that others hold while the other is idle"
    )
    against = (
        f"in use: {used[0]:.2f} cores by one, {used[1]:.2f} of {cores} by two, of which PostgreSQL "
        f"{two.cores(two.database):.2f}; limit: {limit}"
    )
    faster = ratio(one.took.seconds, two.took.seconds)
    if least is None:
        return Result(what, rates, against, f"{faster:.2f} × 1 worker")
    return at_least(what, value=faster, limit=least, unit="× 1 worker", product=rates, against=against)


def _on_paper(kind: _Kind, one: _Figures, *, files: int, locked: float) -> Iterator[Result]:
    """What more workers would give, were each to have a core, and the database a machine of its own."""
    took, database = one.took.median / files, one.database.median / files
    service = Service(
        worker=max(one.workers.median / files, took - database),
        database=database,
        lock=max(locked, database),
        broker=took * _MESSAGES_A_SECOND * _MESSAGE_SECONDS,
    )
    measured = f"a file: worker {seconds(service.worker)}, database {seconds(database)}, lock {seconds(locked)}"
    for workers, database_cores in _PAPER:
        for shops in (_SHOPS, 1):
            forecast = simulate(service, workers=workers, database_cores=database_cores, shops=shops)
            busy = ", ".join(f"{name} {share:.0%}" for name, share in forecast.busy.items())
            yield Result(
                f"on paper: {workers} workers, {database_cores} database cores, {shops} shops, {kind.name}",
                measured,
                f"busy: {busy}",
                f"{forecast.files_a_second:,.0f} files/s, limit: {forecast.limit}",
            )
