"""Points at which the load of a chosen file waits in PostgreSQL until the test lets it go on, or never does.

Triggers on the tables wait for advisory locks that the test's own connection holds. What waits there is the server, in
the very statement; the worker knows nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from django.db import connection

from datasync.ingest.load.locks import lock_number
from datasync.models import CatalogFile, OrderLine, SyncTaskFile
from datasync.runs.claim import SESSION_MARK


class Point(StrEnum):
    """Where a load waits, in the order of its way."""

    LOCK = "lock"  # before the first row, for the lock of its shop
    COPY = "copy"  # with some rows sent and others not
    WRITTEN = "written"  # all is written; the worker has not asked to commit
    COMMIT = "commit"  # the worker has asked to commit, the server has not
    ANSWER = "answer"  # the server has committed, the worker does not know


_CLASS = 20_260_306
"""The first half of the numbers of our locks, the second of which is the file."""
_TABLE = "fault_stop"
_INSTALL = f"""
    CREATE TABLE {_TABLE} (file_id bigint PRIMARY KEY, point text, order_id text);
    CREATE FUNCTION {_TABLE}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE stop {_TABLE};
    BEGIN
        IF TG_ARGV[0] = 'copy' THEN
            SELECT * INTO stop FROM {_TABLE} WHERE point = 'copy' AND order_id = NEW.order_id;
        ELSIF TG_ARGV[0] = 'written' THEN
            SELECT * INTO stop FROM {_TABLE} WHERE point IN ('written', 'answer') AND file_id = NEW.file_id;
        ELSE
            SELECT * INTO stop FROM {_TABLE} WHERE point = 'commit' AND file_id = NEW.file_id;
        END IF;
        IF stop.point = 'answer' THEN
            PERFORM set_config('synchronous_commit', 'on', true);
        ELSIF stop.point IS NOT NULL THEN
            PERFORM pg_advisory_xact_lock_shared({_CLASS}, stop.file_id::int);
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER {_TABLE}_copy BEFORE INSERT ON {OrderLine._meta.db_table}
        FOR EACH ROW EXECUTE FUNCTION {_TABLE}('copy');
    CREATE TRIGGER {_TABLE}_written AFTER UPDATE ON {SyncTaskFile._meta.db_table}
        FOR EACH ROW WHEN (NEW.state = 'completed') EXECUTE FUNCTION {_TABLE}('written');
    CREATE CONSTRAINT TRIGGER {_TABLE}_commit AFTER UPDATE ON {SyncTaskFile._meta.db_table}
        DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.state = 'completed') EXECUTE FUNCTION {_TABLE}('commit');
"""
_REMOVE = f"DROP FUNCTION {_TABLE} CASCADE; DROP TABLE {_TABLE}"
_WAITING = f"""
    SELECT a.application_name, a.wait_event = 'SyncRep' OR l.classid = {_CLASS} AND l.objsubid = 2
    FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'advisory' AND NOT l.granted
    WHERE a.datname = current_database() AND starts_with(a.application_name, %s)
        AND (a.wait_event = 'SyncRep' OR l.pid IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Reached:
    """A load that waits at its point, in the hands of the worker process with this id."""

    file_id: int
    point: Point
    process: int


@dataclass
class Stops:
    """The points that are set. Not for several files of one shop at once: one would wait behind the other."""

    _set: dict[int, Point] = field(default_factory=dict)
    _answers_held: bool = False

    def install(self) -> None:
        """Make the triggers."""
        with connection.cursor() as cursor:
            cursor.execute(_INSTALL)

    def remove(self) -> None:
        """Drop the triggers; whoever still waits goes on."""
        if self._answers_held:
            self._hold_answers(held=False)
        self.let_all_go()
        with connection.cursor() as cursor:
            cursor.execute(_REMOVE)

    def hold_answers(self) -> None:
        """Prepare for ``Point.ANSWER``, before workers start: such loads commit to a standby that does not exist."""
        self._hold_answers(held=True)

    def _hold_answers(self, *, held: bool) -> None:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} {'SET synchronous_commit = local' if held else 'RESET ALL'}")
            cursor.execute(f"ALTER SYSTEM {'SET' if held else 'RESET'} synchronous_standby_names {'= nobody' * held}")
            cursor.execute("SELECT pg_reload_conf()")
        connection.close()  # the next one has the database's setting
        self._answers_held = held

    def set(self, file_id: int, point: Point, *, order_id: str = "") -> None:
        """Let the next loads of the file wait at this point; in COPY at the row of this order."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_lock({self._lock(file_id, point)})")
            cursor.execute(f"INSERT INTO {_TABLE} VALUES (%s, %s, %s)", [file_id, point, order_id])
        self._set[file_id] = point

    def let_go(self, file_id: int) -> None:
        """Let the file's load go on, and later ones pass."""
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {_TABLE} WHERE file_id = %s", [file_id])
            cursor.execute(f"SELECT pg_advisory_unlock({self._lock(file_id, self._set.pop(file_id))})")

    def let_all_go(self) -> None:
        """Let every load go on, also where the server has forgotten the locks in a restart."""
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {_TABLE}")
            cursor.execute("SELECT pg_advisory_unlock_all()")
        self._set.clear()

    def reached(self) -> list[Reached]:
        """Which loads wait at their points now."""
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, [SESSION_MARK])
            ours = {int(name.split(":")[1]): of_trigger for name, of_trigger in cursor.fetchall()}
        held = SyncTaskFile.objects.filter(pk__in=ours, file__in=self._set).values_list("pk", "file_id", "worker")
        return [
            Reached(file_id, self._set[file_id], int(worker.split(":")[1]))
            for pk, file_id, worker in held
            if ours[pk] or self._set[file_id] is Point.LOCK
        ]

    def _lock(self, file_id: int, point: Point) -> str:
        if point is not Point.LOCK:
            return f"{_CLASS}, {file_id}"
        file = CatalogFile.objects.get(pk=file_id)
        return str(lock_number(file.platform_id, file.domain, file.shop_id))
