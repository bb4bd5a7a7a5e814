"""A hundred people at the web process while two workers at full load share its cores; all at once; without Redis."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from bench import clients, processes, servers
from bench.cases.queue import PROGRAM, write
from bench.clients import Answer, Client
from bench.measure import Series
from bench.product import BenchmarkError, Installation, Probe
from bench.report import Result, at_most, seconds
from bench.run import Run

_CLIENTS, _FEWEST_CLIENTS, _BATCH, _LIMIT, _LARGE = 100, 20, 5, 10, 1_000
_BUSY_FILES, _BUSY_ROWS, _ROWS = 200, 2_000, 100
_FROZEN_SECONDS, _FROZEN_EVERY, _FROZEN_AT_ONCE, _FROZEN_FILES = 12.0, 0.3, 20, 60
_STEPS_BACK = 10


def run(run: Run) -> Iterator[Result]:
    """One installation as ``manage.py serve`` runs it, with a Redis of its own to be frozen at the end."""
    with servers.own_redis() as redis:
        installation = replace(
            run.installation("submit"),
            broker=redis.url,
            # Nobody is refused in the load, so that every submit is a whole one. Who measures may step back already.
            settings={"QUOTA_ACTIVE_TASKS": "1000", "WORKER_NICE": str(min(19, os.nice(0) + _STEPS_BACK))},
        )
        crowd = max(_FEWEST_CLIENTS, run.scaled(_CLIENTS))
        with Probe(installation, program=PROGRAM) as probe:
            files = _Files.written(run, installation, probe, crowd=crowd)
            tokens = probe.ask("sign_in", crowd + 2)
            with installation.web() as web, installation.workers(2) as worker:
                people = [Client(web.address, token) for token in tokens]
                _require_stepping_back(worker.process.pid, web.pid)
                clients.at_once([partial(one.get, "files?page_size=50") for one in people])  # warm
                with _busy(probe, files.busy, seconds=run.load_seconds):
                    yield from _load(run, installation, people[:crowd], files, web.pid, worker.process.pid)
                with _busy(probe, files.busy, seconds=run.load_seconds / 6):
                    yield from _same_instant(run, installation, people, files)
                yield from _large(run, probe, people[-2], files)
                yield from _frozen(run, people, files, redis.process.pid)


def _require_stepping_back(worker: int, web: int) -> None:
    """By process, and by session where the kernel shares the processors among sessions."""
    told = [(min(processes.niceness(pid), default=0), processes.group_niceness(pid)) for pid in (worker, web)]
    (nice, grouped), (beside, beside_grouped) = told
    steps = [nice - beside] + ([] if grouped is None or beside_grouped is None else [grouped - beside_grouped])
    if min(steps) < _STEPS_BACK:
        raise BenchmarkError(f"The workers do not step back behind the web process, by process and session: {told}")


@dataclass(slots=True)
class _Files:
    """Ids of exports: those that keep the workers busy, and those of the clients, each submitted once."""

    busy: list[int]
    own: list[int]
    at: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self.at = iter(self.own)

    @classmethod
    def written(cls, run: Run, installation: Installation, probe: Probe, *, crowd: int) -> _Files:
        rounds, busy = -(-clients.submits_in(run.load_seconds) // 2), max(crowd, run.scaled(_BUSY_FILES))
        own = crowd * rounds * (1 + _BATCH) + 3 * crowd + _FROZEN_FILES + run.repeat * run.scaled(_LARGE)
        run.say(f"submit: writing {busy + own:,} files")
        write(installation, files=busy, rows=_BUSY_ROWS)
        write(installation, files=own, rows=_ROWS, first=busy)
        found = probe.scan()
        return cls(found[:busy], found[busy:])

    def take(self, number: int) -> list[int]:
        return [next(self.at) for _ in range(number)]


@contextmanager
def _busy(probe: Probe, file_ids: list[int], *, seconds: float) -> Iterator[None]:
    """Keep the workers at work meanwhile; what is left of all tasks is cancelled in the end."""
    keeper = threading.Thread(target=probe.ask, args=("keep_busy", file_ids, seconds), daemon=True)
    keeper.start()
    time.sleep(2.0)  # until they are
    yield
    keeper.join()


def _load(
    run: Run, installation: Installation, people: list[Client], files: _Files, web: int, worker: int
) -> Iterator[Result]:
    duration = run.load_seconds
    own = clients.shares(files.at, clients=len(people), submits=clients.submits_in(duration), batch=_BATCH)
    run.say(f"submit: {len(people)} clients for {duration} s")
    before, began = _State.now(installation, web, worker), time.monotonic()
    traffic = clients.work(people, own, seconds=duration)
    took = time.monotonic() - began
    since = _State.now(installation, web, worker).since(before)
    if since.tasks < traffic.accepted:
        raise BenchmarkError(f"{traffic.accepted} submits were accepted, and {since.tasks} tasks made.")
    requests = sum(len(series.seconds) for series in traffic.took.values())
    cores = {"workers": since.workers, "web": since.web, "PostgreSQL": since.database}
    yield Result(
        f"{len(people)} clients for {duration} s",
        f"{requests:,} requests, {seconds(since.web / requests)} of the web's processor time each",
        ", ".join(f"{name} {used / took:.2f} cores" for name, used in cores.items()),
        f"{since.files / took:.1f} files/s",
    )
    submit, poll, listed = (traffic.took[what] for what in ("submit", "poll", "list"))
    yield _milliseconds("submit, p50", submit, 0.5, 25)
    yield _milliseconds("submit, p99", submit, 0.99, 100)
    yield _milliseconds("polling, p99", poll, 0.99, 60)
    yield Result("listing files, p99", f"median {seconds(listed.median)}", result=seconds(listed.quantile(0.99)))
    told = ", ".join(f"{what} {dict(by)}" for what, by in traffic.statuses.items())
    yield at_most("errors under that load", value=traffic.errors, limit=0, unit="requests", product=told)


def _milliseconds(what: str, series: Series, share: float, limit: float) -> Result:
    detail = f"{len(series.seconds):,} of them, median {seconds(series.median)}, slowest {seconds(max(series.seconds))}"
    return at_most(what, value=series.quantile(share) * 1000, limit=limit, unit="ms", product=detail)


def _same_instant(run: Run, installation: Installation, people: list[Client], files: _Files) -> Iterator[Result]:
    """From as many people as submits; then all from one, who may have ten tasks."""
    crowd = len(people) - 2
    run.say(f"submit: {crowd} in the same instant")
    with servers.connect(installation.database) as connection:
        connection.execute(
            "INSERT INTO ratelimits_userquota (user_id, max_active_tasks, changed_at) "
            "SELECT id, %s, now() FROM auth_user WHERE username = %s",
            [_LIMIT, _name(crowd + 1)],
        )
    kinds = (("each a person's", people[:crowd], crowd), ("all one person's", [people[-1]] * crowd, _LIMIT))
    for who, asking, limit in kinds:
        file_ids = files.take(crowd)
        answers: list[Answer] = clients.at_once(
            [partial(one.submit, [file_id]) for one, file_id in zip(asking, file_ids, strict=True)]
        )
        accepted = sum(answer.status == 202 for answer in answers)
        refused = sum(answer.status == 429 for answer in answers)
        if not limit <= accepted <= limit + _ended(installation, crowd + 1) or accepted + refused != crowd:
            raise BenchmarkError(f"{accepted} were accepted and {refused} refused; the limit is {limit}.")
        yield at_most(
            f"{crowd} submits in the same instant, {who}",
            value=max(answer.seconds for answer in answers),
            limit=1,
            unit="s",
            product=f"{accepted} accepted, {refused} refused",
        )


def _ended(installation: Installation, person: int) -> int:
    """How many tasks of the person have ended: those have given their places back."""
    with servers.connect(installation.database) as connection:
        found = connection.execute(
            "SELECT count(*) FROM datasync_syncprogresstask JOIN auth_user ON auth_user.id = owner_id "
            "WHERE username = %s AND finished_at IS NOT NULL",
            [_name(person)],
        ).fetchone()
    return int(str((found or (0,))[0]))


def _name(person: int) -> str:
    """As ``queue_probe.sign_in`` calls people."""
    return f"client-{person:04}"


def _large(run: Run, probe: Probe, person: Client, files: _Files) -> Iterator[Result]:
    """Batches of a thousand, each cancelled before the next."""
    took, size = Series(), run.scaled(_LARGE)
    for turn in range(run.repeat):
        run.say(f"submit: a batch of {size:,}, turn {turn + 1} of {run.repeat}")
        answer = person.submit(files.take(size))
        if answer.status != 202:
            raise BenchmarkError(f"A batch of {size} was answered with {answer.status}.")
        took.add(answer.seconds)
        probe.ask("stop_all")
    slowest = f"slowest {seconds(max(took.seconds))}"
    yield at_most(f"a batch of {size:,} ids", value=took.median * 1000, limit=150, unit="ms", product=slowest)


def _frozen(run: Run, people: list[Client], files: _Files, redis: int) -> Iterator[Result]:
    """Redis takes connections and says nothing: twenty submits at once, then one every so often."""
    run.say(f"submit: Redis frozen for {_FROZEN_SECONDS:.0f} s")
    os.kill(redis, signal.SIGSTOP)
    try:
        until = time.monotonic() + _FROZEN_SECONDS
        first = zip(people[:_FROZEN_AT_ONCE], files.take(_FROZEN_AT_ONCE), strict=True)
        answers: list[Answer] = clients.at_once([partial(one.submit, [file_id]) for one, file_id in first])
        while time.monotonic() < until:
            answers.append(people[len(answers) % (len(people) - 2)].submit(files.take(1)))
            time.sleep(_FROZEN_EVERY)
    finally:
        os.kill(redis, signal.SIGCONT)
    if any(answer.status != 202 for answer in answers):
        raise BenchmarkError(f"With Redis frozen: {[answer.status for answer in answers]}")
    took = Series([answer.seconds for answer in answers])
    yield at_most(
        f"{len(answers)} submits with Redis frozen, the slowest",
        value=max(took.seconds),
        limit=1,
        unit="s",
        product=f"all 202, median {seconds(took.median)}",
    )


@dataclass(frozen=True, slots=True)
class _State:
    """What was used and done up to a moment: processor seconds by part, files synced, tasks made."""

    web: float
    workers: float
    database: float
    files: int
    tasks: int

    @classmethod
    def now(cls, installation: Installation, web: int, worker: int) -> _State:
        with servers.connect(installation.database) as connection:
            counts = connection.execute(
                "SELECT (SELECT count(*) FROM datasync_synctaskfile WHERE state = 'completed'), "
                "(SELECT count(*) FROM datasync_syncprogresstask)"
            ).fetchone()
        files, tasks = map(int, map(str, counts or (0, 0)))
        database = processes.postmaster(installation.database)
        web_used, worker_used, database_used = map(processes.processor_seconds, (web, worker, database))
        return cls(web_used, worker_used, database_used, files, tasks)

    def since(self, before: _State) -> _State:
        return _State(
            web=self.web - before.web,
            workers=self.workers - before.workers,
            database=self.database - before.database,
            files=self.files - before.files,
            tasks=self.tasks - before.tasks,
        )
