"""Whose turn it is: every worker, on whatever broker or none, asks the database which task goes next.

Two levels. Among people the one goes first whose most urgent waiting task is most urgent; of equals, who was served
longest ago. Among one person's tasks the most urgent goes first; of equals, again the one served longest ago. Waiting
makes more urgent: a step each ``AGEING_SECONDS``, for a person since any of their tasks was served, for a task since
it was served itself. So one person's thousand files never hold up another's single one, and nothing waits for ever.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connections

from datasync.choices import ITEM_ACTIVE, ItemState, TaskState
from datasync.models import SyncProgressTask, SyncTaskFile

HIGHEST_PRIORITY = 10
_OPEN = (TaskState.PENDING, TaskState.QUEUED, TaskState.PROCESSING)
_HELD_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class _Dialect:
    now: str
    seconds: str  # from one time to another
    floor: str
    least: str
    greatest: str
    skip_locked: str


_DIALECTS = {
    "postgresql": _Dialect(
        now="clock_timestamp()",
        seconds="EXTRACT(EPOCH FROM {until} - {since})",
        floor="floor({})",
        least="LEAST",
        greatest="GREATEST",
        skip_locked="FOR NO KEY UPDATE OF task SKIP LOCKED",
    ),
    "sqlite": _Dialect(
        now="strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
        seconds="(julianday({until}) - julianday({since})) * 86400",
        floor="CAST({} AS integer)",
        least="MIN",
        greatest="MAX",
        skip_locked="",
    ),
}


def pick_task(*, using: str = "default") -> SyncProgressTask | None:
    """The task that goes next, marked as served now; None where no file of any can be claimed, nor any be closed.

    One whose row somebody holds is passed over. Where all are held, the first goes without the mark: whoever holds it
    has it marked already, or stands still, and its files can be claimed all the same.
    """
    connection = connections[using]
    dialect = _DIALECTS[connection.vendor]
    table = connection.ops.quote_name(SyncProgressTask._meta.db_table)
    ranked, values = _ranked(connection.vendor, table, connection.ops.quote_name(SyncTaskFile._meta.db_table))
    statement = f"""
        UPDATE {table} SET served_at = {dialect.now} WHERE id = (
            SELECT task.id FROM ({ranked}) AS ranked JOIN {table} task ON task.id = ranked.id
            ORDER BY ranked.place LIMIT 1 {dialect.skip_locked})
        RETURNING *
    """  # noqa: S608 - as below
    tasks = SyncProgressTask.objects.using(using)
    if picked := list(tasks.raw(statement, values)):
        return picked[0]
    if not dialect.skip_locked or not (held := tasks_in_order(using=using)):
        return None
    time.sleep(_HELD_PAUSE_SECONDS)
    return tasks.filter(pk=held[0]).first()


def tasks_in_order(*, using: str = "default") -> list[int]:
    """Primary keys of all tasks that can be worked on now, in the order in which they would be picked."""
    connection = connections[using]
    quoted = connection.ops.quote_name
    ranked, values = _ranked(
        connection.vendor, quoted(SyncProgressTask._meta.db_table), quoted(SyncTaskFile._meta.db_table)
    )
    with connection.cursor() as cursor:
        cursor.execute(f"{ranked} ORDER BY place", values)
        return [row[0] for row in cursor.fetchall()]


def _ranked(vendor: str, tasks: str, items: str) -> tuple[str, list[Any]]:
    """SQL for the tasks that can be worked on, each with its ``place`` in the order of turns, and its values."""
    dialect = _DIALECTS[vendor]
    states = ", ".join(["%s"] * len(_OPEN))

    def age(since: str) -> str:
        return dialect.floor.format(f"{dialect.seconds.format(until=dialect.now, since=since)} / %s")

    statement = f"""
        WITH open AS (
            SELECT id, owner_id, priority, created_at, served_at,
                CASE WHEN owner_id IS NULL
                    THEN (SELECT MAX(o.served_at) FROM {tasks} o WHERE o.owner_id IS NULL)
                    ELSE (SELECT MAX(o.served_at) FROM {tasks} o WHERE o.owner_id = t.owner_id) END AS owner_served
            FROM {tasks} t
            WHERE state IN ({states}) AND cancel_requested_at IS NULL
                AND (deadline_at IS NULL OR deadline_at > {dialect.now})
                AND (
                    EXISTS (
                        SELECT 1 FROM {items} i WHERE i.task_id = t.id AND i.state = %s
                        AND (i.not_before IS NULL OR i.not_before <= {dialect.now}))
                    AND (SELECT COUNT(*) FROM {items} i WHERE i.task_id = t.id AND i.state = %s) < %s
                    OR closing_at IS NULL AND NOT EXISTS (
                        SELECT 1 FROM {items} i WHERE i.task_id = t.id AND i.state IN (%s, %s))
                )
        ), of_owner AS (
            SELECT open.*, MAX(priority) OVER (PARTITION BY owner_id) AS owner_priority,
                MIN(created_at) OVER (PARTITION BY owner_id) AS owner_since
            FROM open
        )
        SELECT id, ROW_NUMBER() OVER (ORDER BY
            owner_priority + {age(f"{dialect.greatest}(COALESCE(owner_served, owner_since), owner_since)")} DESC,
            owner_served ASC NULLS FIRST,
            {dialect.least}(%s, priority + {age("COALESCE(served_at, created_at)")}) DESC,
            served_at ASC NULLS FIRST, id) AS place
        FROM of_owner
    """  # noqa: S608 - names of our own tables and functions only
    values = [
        *(state.value for state in _OPEN),
        *(ItemState.QUEUED.value, ItemState.PROCESSING.value, settings.BATCH_WINDOW),
        *(state.value for state in ITEM_ACTIVE),
        *(settings.AGEING_SECONDS, HIGHEST_PRIORITY, settings.AGEING_SECONDS),
    ]
    return statement, values
