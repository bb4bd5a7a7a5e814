"""Taking the next file of a task: one statement, so that no two workers ever hold the same file.

The lease token fences: whoever finishes must still hold it. A file whose lease ran out is the sweeper's to free. All
times are the database's own.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.models import F

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs.worker import worker_name

SESSION_MARK = "erp-item:"


@dataclass(frozen=True, slots=True)
class Claim:
    """A file in hand. ``file_sha256`` is what the file held when it was queued; ``attempt`` counts from 1.

    ``crashes`` of the attempts before it ended with their worker.
    """

    item_id: int
    file_id: int
    file_sha256: str
    attempt: int
    crashes: int
    token: uuid.UUID

    @classmethod
    def of(cls, item: SyncTaskFile) -> Claim:
        """The claim of whoever has this item in hand."""
        if item.lease_token is None:
            raise ValueError("Nobody has this item in hand.")
        return cls(
            item_id=item.pk,
            file_id=item.file_id,
            file_sha256=item.file_sha256,
            attempt=item.attempt,
            crashes=item.crashes,
            token=item.lease_token,
        )

    @property
    def tries(self) -> int:
        """Which try this is. An attempt whose worker was lost has a cap of its own, and is no try that failed."""
        return self.attempt - self.crashes

    @property
    def mark(self) -> str:
        """How the attempt names its database session, so that the sweeper can end it once the lease has run out."""
        return session_mark(self.item_id, self.token)


def session_mark(item_id: int, token: uuid.UUID) -> str:
    """The name of the database session of one attempt at an item: at most 63 bytes, as PostgreSQL keeps them."""
    return f"{SESSION_MARK}{item_id}:{token.hex[:12]}"


def name_session(claim: Claim) -> None:
    """Name the database session after the attempt until the transaction ends; SQLite has no sessions to name."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, true)", [claim.mark])


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


def put_down(claim: Claim, put_back: Callable[..., bool]) -> None:
    """Queue a file at once that was cut off because its process ends; it is as if it had not been taken."""
    with transaction.atomic():
        if put_back(claim, error={}, seconds_until_next=0):
            SyncTaskFile.objects.filter(pk=claim.item_id, attempt=claim.attempt).update(attempt=F("attempt") - 1)


def claim_next(task_id: int, *, using: str = "default") -> Claim | None:
    """Take the first file of the task that is queued and due; None when there is none."""
    database = connections[using]
    dialect = _DIALECTS[database.vendor]
    token = uuid.uuid4()
    table = database.ops.quote_name(SyncTaskFile._meta.db_table)
    statement = f"""
        UPDATE {table}
        SET state = %s, lease_token = %s, lease_until = {dialect.lease_until}, worker = %s, attempt = attempt + 1,
            started_at = {dialect.now}, not_before = NULL
        WHERE id = (
            SELECT id FROM {table}
            WHERE task_id = %s AND state = %s AND (not_before IS NULL OR not_before <= {dialect.now})
            ORDER BY position LIMIT 1 {dialect.skip_locked}
        )
        RETURNING id, file_id, file_sha256, attempt, crashes
    """  # noqa: S608 - names of our own tables and functions only
    values = (
        ItemState.PROCESSING.value,
        token if database.features.has_native_uuid_field else token.hex,
        settings.LEASE_SECONDS,
        worker_name(),
        task_id,
        ItemState.QUEUED.value,
    )
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    if not rows:
        return None
    item_id, file_id, file_sha256, attempt, crashes = rows[0]
    return Claim(
        item_id=item_id, file_id=file_id, file_sha256=file_sha256, attempt=attempt, crashes=crashes, token=token
    )
