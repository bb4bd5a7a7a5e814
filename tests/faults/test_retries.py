"""G13: what can go away is tried again after 1, 2 and 4 seconds, three times; what lies in the file is tried once.

Triggers in PostgreSQL raise the errors, in the very statement that loads a file, and write down each step of an item.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from datasync.access import EVERYTHING
from datasync.choices import ItemState, TaskState
from datasync.ingest.load.locks import lock_number
from datasync.models import CatalogFile, OrderLine, SyncTaskFile
from datasync.runs import services
from datasync.runs.retry import POLICY
from tests.faults.conftest import Start
from tests.faults.exports import write_exports
from tests.faults.ledger import at_rest, check
from tests.faults.trials import Trials
from tests.services import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="the errors are raised by PostgreSQL"),
]
TERMINATED = "57P01"
PASSING = {
    "connection lost": TERMINATED,
    "serialization failure": "40001",
    "deadlock": "40P01",
    "lock timeout": "55P03",
    "disk full": "53100",
    "out of memory": "53200",
    "out of connections": "53300",
    "statement timeout": "57014",
}
LASTING = {"a key twice": "23505", "a value out of range": "22003", "a limit of the server": "54000"}
_INSTALL = f"""
    CREATE TABLE fault_error (file_id bigint PRIMARY KEY, code text, times int);
    CREATE TABLE fault_step (
        file_id bigint, state text, attempt int, at timestamptz, not_before timestamptz, error text
    );
    CREATE FUNCTION fault_raise() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE fault fault_error;
    BEGIN
        SELECT * INTO fault FROM fault_error WHERE file_id = NEW.file_last_id;
        IF fault.code IS NULL OR (SELECT attempt > fault.times FROM {SyncTaskFile._meta.db_table}
                                  WHERE file_id = NEW.file_last_id AND state = 'processing') THEN
            RETURN NEW;
        ELSIF fault.code = '{TERMINATED}' THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
            PERFORM pg_sleep(10);
        END IF;
        RAISE EXCEPTION 'a fault of the test' USING ERRCODE = fault.code;
    END $$;
    CREATE FUNCTION fault_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO fault_step VALUES (
            NEW.file_id, NEW.state, NEW.attempt, clock_timestamp(), NEW.not_before, NEW.error ->> 'code'
        );
        RETURN NEW;
    END $$;
    CREATE TRIGGER fault_raise BEFORE INSERT ON {OrderLine._meta.db_table}
        FOR EACH ROW EXECUTE FUNCTION fault_raise();
    CREATE TRIGGER fault_note AFTER UPDATE OF state ON {SyncTaskFile._meta.db_table}
        FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION fault_note();
"""
_REMOVE = "DROP FUNCTION fault_raise CASCADE; DROP FUNCTION fault_note CASCADE; DROP TABLE fault_error, fault_step"


@dataclass(frozen=True)
class Step:
    """A change of an item's state, with the database's time of it."""

    state: str
    attempt: int
    at: datetime
    not_before: datetime | None
    error: str | None


class Faults:
    """What goes wrong with the loads of chosen files, and what was done about it."""

    def set(self, file_id: int, code: str, *, times: int) -> None:
        """Let the first so many attempts at the file fail with this SQLSTATE."""
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO fault_error VALUES (%s, %s, %s)", [file_id, code, times])

    def steps(self) -> dict[int, list[Step]]:
        """The steps of each file's item, in their order."""
        found: defaultdict[int, list[Step]] = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute("SELECT file_id, state, attempt, at, not_before, error FROM fault_step ORDER BY at")
            for file_id, *step in cursor.fetchall():
                found[file_id].append(Step(*step))
        return found


@pytest.fixture
def faults(transactional_db: None) -> Iterator[Faults]:
    with connection.cursor() as cursor:
        cursor.execute(_INSTALL)
    yield Faults()
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE)


def check_pauses(steps: list[Step]) -> int:
    """Each put back file was due 1, 2, 4 seconds later by the database's clock, and taken not before; how often."""
    back = [number for number, step in enumerate(steps) if step.state == ItemState.QUEUED]
    for number, delay in zip(back, POLICY.delays, strict=False):
        step, taken = steps[number], steps[number + 1]
        assert step.not_before is not None
        pause = (step.not_before - step.at).total_seconds()
        assert delay - 0.5 <= pause <= delay * (1 + POLICY.jitter), (delay, steps)
        assert (taken.state, taken.attempt) == (ItemState.PROCESSING, step.attempt + 1)
        assert taken.at >= step.not_before
    return len(back)


def test_g13_each_class_of_error_is_tried_again_or_not(start: Start, inbox: Path, faults: Faults) -> None:
    """Of each passing class one file gets over it; one of all never does. Of each lasting class one is tried once."""
    trials = Trials("G13", "an error of each class is raised in a load", cost=20)
    running = start(processes=2)
    expected: dict[int, list[str]] = {}
    ended: dict[int, ItemState] = {}
    for trial in trials:
        names = [*PASSING, "never over", *LASTING]
        files = write_exports(inbox, len(names), rows=20, trial=trial, shops=len(names))
        expected |= files
        of = dict(zip(names, files, strict=True))
        ended |= dict.fromkeys((of[name] for name in ("never over", *LASTING)), ItemState.FAILED)
        for name, code in PASSING.items():
            faults.set(of[name], code, times=trials.random.choice((1, 1, 2)))
        faults.set(of["never over"], trials.random.choice(list(PASSING.values())), times=99)
        for name, code in LASTING.items():
            faults.set(of[name], code, times=99)
        task = services.submit_by_ids(file_ids=list(files), owner=None, sight=EVERYTHING).task
        wait_until(at_rest, seconds=120, what=f"all files; the worker's log is {running.log}")
        steps = faults.steps()
        ends = {item.file_id: item for item in task.items.all()}
        for name in PASSING:
            end, took = ends[of[name]], steps[of[name]]
            assert (end.state, end.crashes) == (ItemState.COMPLETED, 0), (name, end.error, took)
            assert check_pauses(took) == end.attempt - 1 >= 1, name
            codes = {step.error for step in took if step.state == ItemState.QUEUED}
            assert codes == {"DISK_FULL" if name == "disk full" else "TEMPORARILY_UNAVAILABLE"}
        lost = ends[of["never over"]]
        assert (lost.state, lost.attempt, lost.crashes) == (ItemState.FAILED, 4, 0)
        assert lost.error["code"] in {"STILL_UNAVAILABLE", "DISK_FULL"}
        assert check_pauses(steps[of["never over"]]) == 3
        for name in LASTING:
            end = ends[of[name]]
            assert (end.state, end.attempt, end.error["code"]) == (ItemState.FAILED, 1, "INTERNAL_ERROR"), name
            assert [step.state for step in steps[of[name]]] == [ItemState.PROCESSING, ItemState.FAILED]
        check(expected, trials, ended=ended)


@contextmanager
def another_session() -> Iterator[psycopg.Connection]:
    """A session of somebody else on the same database; a deadlock is never its to give way."""
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("host", "port", "user", "dbname")}
    with closing(psycopg.connect(**wanted, options="-c deadlock_timeout=1min -c statement_timeout=1min")) as session:
        yield session


@contextmanager
def new_sessions_have(name: str, value: str) -> Iterator[None]:
    """Let sessions that begin from now on have this setting."""
    database = connection.ops.quote_name(str(connection.settings_dict["NAME"]))
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {database} SET {name} = '{value}'")
        try:
            yield
        finally:
            cursor.execute(f"ALTER DATABASE {database} RESET {name}")


def shop_lock(file_id: int) -> int:
    """The number of the lock that a load of the file takes."""
    file = CatalogFile.objects.get(pk=file_id)
    return lock_number(file.platform_id, file.domain, file.shop_id)


def is_held(lock: int, *, granted: bool) -> bool:
    """Whether somebody has, or waits for, the advisory lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted = %s "
            "AND ((classid::bigint << 32) | objid::bigint) = %s)",
            [granted, lock],
        )
        return bool(cursor.fetchone()[0])


def test_g13_a_real_deadlock_and_a_real_lock_timeout(start: Start, inbox: Path, faults: Faults) -> None:
    trials = Trials("G13", "a deadlock and a lock timeout are made by another session", cost=20)
    expected: dict[int, list[str]] = {}
    with new_sessions_have("deadlock_timeout", "1500ms"), new_sessions_have("lock_timeout", "4s"):
        running = start()
        for trial in trials:
            files = write_exports(inbox, 1, rows=2_000, trial=trial)
            expected |= files
            (file_id,) = files
            lock, table = shop_lock(file_id), CatalogFile._meta.db_table
            with another_session() as other:
                other.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
                task = services.submit_single(file_id=file_id, owner=None, sight=EVERYTHING)
                item = SyncTaskFile.objects.filter(task=task)
                wait_until(partial(is_held, lock, granted=False), seconds=60, what=f"a load; see {running.log}")
                wait_until(item.filter(attempt=1, state=ItemState.QUEUED).exists, seconds=60, what="a lock timeout")
                other.rollback()
                # The load holds its shop's lock and comes to the file's row; we hold the row and come to that lock.
                other.execute(f"SELECT FROM {table} WHERE id = %s FOR NO KEY UPDATE", [file_id])
                wait_until(partial(is_held, lock, granted=True), seconds=60, what=f"the load; see {running.log}")
                other.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
                other.rollback()
            wait_until(at_rest, seconds=120, what=f"the file; the worker's log is {running.log}")
            task.refresh_from_db()
            steps = faults.steps()[file_id]
            assert (task.state, item.get().attempt) == (TaskState.COMPLETED, 3), steps
            assert check_pauses(steps) == 2
            for wanted in ("deadlock detected", "lock timeout"):
                assert wanted in running.output()
            check(expected, trials)
