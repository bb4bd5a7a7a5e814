"""Many finished and waiting rows, copied inside the database: tasks, files and items as they stand, but never read."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from bench import servers

_TASK, _FILE, _ITEM = "datasync_syncprogresstask", "datasync_catalogfile", "datasync_synctaskfile"
_WAITING = {"state": "'queued'", "finished_at": "NULL", "started_at": "NULL"}


def queue_up(database: str, *, tasks: int, files: int, people: int) -> None:
    """So many queued files, in equal tasks of so many people, like those of the installation's first task.

    What was queued before is forgotten.
    """
    with servers.connect(database) as connection:
        connection.execute(f"DELETE FROM {_ITEM} WHERE state = 'queued'")
        connection.execute(f"DELETE FROM {_TASK} WHERE state = 'queued'")
        connection.execute(
            "INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name, "
            "email, date_joined) SELECT 'crowd-' || n, '', false, false, true, '', '', '', now() "
            "FROM generate_series(1, %s) n ON CONFLICT DO NOTHING",
            [people],
        )
        _files(connection, files)
        never = {"closing_at": "NULL", "served_at": "NULL", "total_files": f"{files // tasks}"}
        owner = {"owner_id": _one_of("auth_user", "username LIKE 'crowd-%'", people)}
        _copy(connection, _TASK, times=tasks, instead=_WAITING | never | owner | _named("queued"))
        held = {"lease_token": "NULL", "lease_until": "NULL", "attempt": "0"}
        ids = {"task_id": _one_of(_TASK, "state = 'queued'", tasks), "file_id": _one_of(_FILE, _CROWD, files)}
        _copy(connection, _ITEM, times=files, instead=_WAITING | held | ids | {"position": "n"})
        _settle(connection)


def finish_many(database: str, *, items: int, files: int) -> None:
    """So many items that were completed, each task over all of so many files."""
    tasks = items // files
    with servers.connect(database) as connection:
        _files(connection, files)
        _copy(connection, _TASK, times=tasks, instead={"total_files": f"{files}"} | _named("done"))
        done = _one_of(_TASK, "task_id LIKE 'done-%'", tasks, each=files)
        ids = {"task_id": done, "file_id": _one_of(_FILE, _CROWD, files)}
        _copy(connection, _ITEM, times=items, instead=ids | {"position": "n"})
        _settle(connection)


def fill_lists(database: str, *, files: int, tasks: int, owner: int) -> None:
    """So many files in every state, first seen one after the other, and so many ended tasks of one person."""
    with servers.connect(database) as connection:
        states = "(ARRAY['pending', 'ingested', 'partial', 'failed'])[1 + n % 4]"
        _files(connection, files, instead={"state": states, "first_seen_at": "now() - n * interval '1 minute'"})
        times = dict.fromkeys(("created_at", "finished_at"), "now() - n * interval '1 hour'")
        told = {"owner_id": f"{owner}", "state": "'completed'"}
        _copy(connection, _TASK, times=tasks, instead=_named("done") | times | told)
        _settle(connection)


_CROWD = "storage_name LIKE 'crowd-%'"


def _files(connection: servers.Connection, number: int, *, instead: Mapping[str, str] | None = None) -> None:
    (there,) = connection.execute(f"SELECT count(*) FROM {_FILE} WHERE {_CROWD}").fetchone() or (0,)
    named = {"storage_name": "'crowd-' || gen_random_uuid()"}
    _copy(connection, _FILE, times=number - int(str(there)), instead=named | dict(instead or {}))


def _named(prefix: str) -> dict[str, str]:
    return dict.fromkeys(("task_id", "celery_task_id"), f"'{prefix}-' || gen_random_uuid()")


def _one_of(table: str, condition: str, number: int, *, each: int = 1) -> str:
    """SQL for the id of one of the first rows that fit: in turn, or each for so many times."""
    return (
        f"(ARRAY(SELECT id FROM {table} WHERE {condition} ORDER BY id LIMIT {number}))[1 + (n - 1) / {each} % {number}]"
    )


def _copy(connection: servers.Connection, table: str, *, times: int, instead: Mapping[str, str]) -> None:
    """Copy the first row of the table, with other values in some columns; ``n`` counts from 1."""
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_name = %s AND column_name <> 'id' AND is_generated = 'NEVER'",
        [table],
    )
    names = [str(name) for (name,) in found]
    values = ", ".join(instead.get(name, f'one."{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    statement = (
        f"INSERT INTO {table} ({columns}) SELECT {values} FROM (SELECT * FROM {table} ORDER BY id LIMIT 1) one "
        f"CROSS JOIN generate_series(1, {times}) n"
    )
    connection.execute(statement.encode())


def _settle(connection: servers.Connection) -> None:
    """Let the planner know, as the server's own cleaning would in its time."""
    for table in (_TASK, _FILE, _ITEM):
        connection.execute(sql.SQL("VACUUM ANALYZE {}").format(sql.Identifier(table)))
