"""Taking the next file of a task: one statement, so that no two workers ever hold the same file.

A file whose lease ran out is taken from the worker that died with it, before files that still wait. The lease token
fences: whoever finishes must still hold it. All times are the database's own.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import connections

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs.worker import worker_name

MOST_ATTEMPTS = 3
"""So often a file is begun at most, where its workers die of it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A file in hand. ``file_sha256`` is what the file held when it was queued; ``attempt`` counts from 1."""

    item_id: int
    file_id: int
    file_sha256: str
    attempt: int
    token: uuid.UUID


@dataclass(frozen=True, slots=True)
class _Dialect:
    now: str
    lease_until: str  # takes a number of seconds
    skip_locked: str


_DIALECTS = {
    "postgresql": _Dialect(
        now="clock_timestamp()",
        lease_until="clock_timestamp() + make_interval(secs => %s)",
        skip_locked="FOR UPDATE SKIP LOCKED",
    ),
    "sqlite": _Dialect(
        now="strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
        lease_until="strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s || ' seconds')",
        skip_locked="",
    ),
}


def claim_next(task_id: int, *, using: str = "default") -> Claim | None:
    """Take a file of the task whose worker died, else the first that is queued and due; None when there is none."""
    connection = connections[using]
    dialect = _DIALECTS[connection.vendor]
    token = uuid.uuid4()
    table = connection.ops.quote_name(SyncTaskFile._meta.db_table)
    statement = f"""
        UPDATE {table}
        SET state = %s, lease_token = %s, lease_until = {dialect.lease_until}, worker = %s, attempt = attempt + 1,
            crashes = crashes + CASE WHEN state = %s THEN 1 ELSE 0 END, started_at = {dialect.now}, not_before = NULL
        WHERE id = COALESCE((
            SELECT id FROM {table}
            WHERE task_id = %s AND state = %s AND lease_until < {dialect.now} AND attempt < %s
            ORDER BY position LIMIT 1 {dialect.skip_locked}
        ), (
            SELECT id FROM {table}
            WHERE task_id = %s AND state = %s AND (not_before IS NULL OR not_before <= {dialect.now})
            ORDER BY position LIMIT 1 {dialect.skip_locked}
        ))
        RETURNING id, file_id, file_sha256, attempt
    """  # noqa: S608 - names of our own tables and functions only
    processing = ItemState.PROCESSING.value
    values = (
        processing,
        token if connection.features.has_native_uuid_field else token.hex,
        settings.LEASE_SECONDS,
        worker_name(),
        processing,
        *(task_id, processing, MOST_ATTEMPTS),
        *(task_id, ItemState.QUEUED.value),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    if not rows:
        return None
    item_id, file_id, file_sha256, attempt = rows[0]
    return Claim(item_id=item_id, file_id=file_id, file_sha256=file_sha256, attempt=attempt, token=token)
