"""The retry policy: which errors are tried again, when, how often, and what is told of them."""

from __future__ import annotations

import errno
import random
import sqlite3
from pathlib import Path

import psycopg
import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, IntegrityError, InterfaceError, InternalError, OperationalError

from datasync.catalog.exceptions import FileGrowing
from datasync.exceptions import (
    CorruptFile,
    DiskFull,
    EncryptedFile,
    FileMissing,
    HeaderChanged,
    NoTemplate,
    QuarantineRefused,
    ReaderCrashed,
    ReaderTimeout,
    StillUnavailable,
    StorageAway,
    TransientError,
)
from datasync.runs.retry import POLICY, RetryPolicy


def of_postgresql(error: type[psycopg.Error], outer: type[DatabaseError] = OperationalError) -> DatabaseError:
    """As Django raises what psycopg raised."""
    wrapped = outer("an error of the server")
    wrapped.__cause__ = error("an error of the server")
    return wrapped


def of_sqlite(name: str) -> DatabaseError:
    """As Django raises what SQLite raised."""
    wrapped = OperationalError("an error of SQLite")
    wrapped.__cause__ = sqlite3.OperationalError("an error of SQLite")
    wrapped.__cause__.sqlite_errorname = name
    return wrapped


def of_system(number: int) -> OSError:
    return OSError(number, "an error of the system")


def away(cause: OSError) -> StorageAway:
    """As the storage of uploads raises it."""
    error = StorageAway()
    error.__cause__ = cause
    return error


TRANSIENT = {
    "the connection is lost": OperationalError("the connection is closed"),
    "the connection is closed": InterfaceError("connection already closed"),
    "the server does not answer": of_postgresql(psycopg.errors.ConnectionFailure),
    "the session is terminated": of_postgresql(psycopg.errors.AdminShutdown),
    "the server crashed": of_postgresql(psycopg.errors.CrashShutdown),
    "the server starts": of_postgresql(psycopg.errors.CannotConnectNow),
    "serialization failure": of_postgresql(psycopg.errors.SerializationFailure),
    "deadlock": of_postgresql(psycopg.errors.DeadlockDetected),
    "the server is a standby now": of_postgresql(psycopg.errors.ReadOnlySqlTransaction, InternalError),
    "lock timeout": of_postgresql(psycopg.errors.LockNotAvailable),
    "statement timeout": of_postgresql(psycopg.errors.QueryCanceled),
    "idle too long": of_postgresql(psycopg.errors.IdleInTransactionSessionTimeout, InternalError),
    "the database's disk is full": of_postgresql(psycopg.errors.DiskFull),
    "the database's memory is full": of_postgresql(psycopg.errors.OutOfMemory),
    "too many connections": of_postgresql(psycopg.errors.TooManyConnections),
    "too much in temporary files": of_postgresql(psycopg.errors.ConfigurationLimitExceeded),
    "SQLite is busy": of_sqlite("SQLITE_BUSY_SNAPSHOT"),
    "SQLite's table is locked": of_sqlite("SQLITE_LOCKED"),
    "SQLite's disk is full": of_sqlite("SQLITE_FULL"),
    "SQLite's disk fails": of_sqlite("SQLITE_IOERR_WRITE"),
    "the disk is full": of_system(errno.ENOSPC),
    "the disk quota is used up": of_system(errno.EDQUOT),
    "the disk is full, says Polars": OSError("No space left on device (os error 28)"),
    "too many open files": of_system(errno.EMFILE),
    "no process to be had": of_system(errno.EAGAIN),
    "the mount is stale": of_system(errno.ESTALE),
    "the message's time is over": TransientError(),
    "the storage is away": away(ConnectionRefusedError(errno.ECONNREFUSED, "refused")),
    "the file is growing": FileGrowing(),
}
PERMANENT = {
    "no template": NoTemplate(),
    "the header changed": HeaderChanged(missing="a"),
    "rows are refused": QuarantineRefused(count=1),
    "damaged": CorruptFile(found="a damaged zip"),
    "encrypted": EncryptedFile(),
    "gone": FileMissing(),
    "the reader crashes": ReaderCrashed(found="signal 11"),
    "the reader takes longer than any file may": ReaderTimeout(limit=1500),
    "a key twice": of_postgresql(psycopg.errors.UniqueViolation, IntegrityError),
    "a row over the server's limits": of_postgresql(psycopg.errors.ProgramLimitExceeded),
    "a table that is not there": of_sqlite("SQLITE_ERROR"),
    "a file that may not be read": of_system(errno.EACCES),
    "a bug": ValueError("a bug"),
    "a bug of the system's kind": OSError("text only"),
    "the soft limit, of which the runs room judges": SoftTimeLimitExceeded(),
}
LEAST, MOST = (lambda: 0.0), (lambda: 1.0)


@pytest.mark.parametrize("error", TRANSIENT.values(), ids=TRANSIENT)
def test_what_can_go_away_is_tried_again_after_1_2_and_4_seconds(error: Exception) -> None:
    assert POLICY.is_transient(error)
    assert [POLICY.decide(error, attempt=attempt, draw=LEAST).again_in for attempt in (1, 2, 3, 4, 5)] == [
        1.0, 2.0, 4.0, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize("error", PERMANENT.values(), ids=PERMANENT)
def test_what_lies_in_the_file_is_tried_once(error: Exception) -> None:
    assert not POLICY.is_transient(error)
    decision = POLICY.decide(error, attempt=1)
    assert (decision.again_in, decision.told) == (None, error)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1.0), (2, 2.0), (3, 4.0)])
def test_jitter_makes_a_pause_longer_by_a_quarter_at_most(attempt: int, seconds: float) -> None:
    error = TransientError()
    assert POLICY.decide(error, attempt=attempt, draw=MOST).again_in == seconds * 1.25
    pauses = [POLICY.decide(error, attempt=attempt).again_in or 0.0 for _ in range(200)]
    assert all(seconds <= pause <= seconds * 1.25 for pause in pauses)
    assert len(set(pauses)) > 100
    drawn = [POLICY.decide(error, attempt=attempt, draw=random.Random(7).random).again_in for _ in range(2)]
    assert drawn[0] == drawn[1]


FULL = ("the database's disk is full", "SQLite's disk is full", "the disk is full", "the disk quota is used up")


@pytest.mark.parametrize(
    ("error", "attempt", "told"),
    [
        *((TRANSIENT[name], attempt, DiskFull) for name in FULL for attempt in (1, 4)),
        (away(of_system(errno.ENOSPC)), 1, DiskFull),
        (TRANSIENT["the storage is away"], 1, StorageAway),
        (TRANSIENT["the storage is away"], 4, StillUnavailable),
        (TRANSIENT["deadlock"], 3, TransientError),
        (TRANSIENT["deadlock"], 4, StillUnavailable),
    ],
)
def test_what_is_told_of_it(error: Exception, attempt: int, told: type[Exception]) -> None:
    assert type(POLICY.decide(error, attempt=attempt).told) is told


def test_a_damaged_file_is_no_full_disk() -> None:
    error = CorruptFile(found="a damaged zip")
    error.__cause__ = of_system(errno.ENOSPC)
    assert not POLICY.is_disk_full(error)
    assert not POLICY.is_transient(error)


def test_a_policy_is_a_value() -> None:
    patient = RetryPolicy(delays=(60.0,), jitter=0.0)
    assert patient == RetryPolicy(delays=(60.0,), jitter=0.0) != POLICY
    assert [patient.decide(TransientError(), attempt=attempt).again_in for attempt in (1, 2)] == [60.0, None]
    assert hash(patient)


def test_the_runs_room_asks_nobody_else() -> None:
    """Which errors pass is said in one place; others only keep themselves from swallowing a database that is away."""
    runs = Path(__file__).parent.parent / "datasync" / "runs"
    asking = {path.relative_to(runs).as_posix() for path in runs.rglob("*.py") if "is_transient" in path.read_text()}
    assert asking == {"retry.py"}
