"""Database sessions of attempts that are over: a frozen worker in the middle of a COPY keeps its locks otherwise.

No time-out of the server ends such a session. It names itself after its attempt (``claim.session_mark``), and it is
ended by that name, never by its process id alone, which the server may have given to another meanwhile.
"""

from __future__ import annotations

import logging

from django.db import connection
from django.db.models.functions import Now

from datasync.choices import ItemState
from datasync.models import SyncTaskFile
from datasync.runs.claim import SESSION_MARK, session_mark

logger = logging.getLogger(__name__)


def end_stale(*, dry_run: bool = False) -> int:
    """End the sessions of attempts whose lease has run out, or that were fenced out; how many. SQLite has none."""
    if connection.vendor != "postgresql":
        return 0
    stale = _marks() - _in_hand()
    if not stale or dry_run:
        return len(stale)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name, pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = ANY(%s)",
            [sorted(stale)],
        )
        ended = [name for name, done in cursor.fetchall() if done]
    for name in ended:
        logger.warning("The database session of attempt %s was ended: it no longer holds its file", name)
    return len(ended)


def _marks() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name FROM pg_stat_activity "
            "WHERE datname = current_database() AND starts_with(application_name, %s) AND pid <> pg_backend_pid()",
            [SESSION_MARK],
        )
        return {name for (name,) in cursor.fetchall()}


def _in_hand() -> set[str]:
    """The marks of attempts whose lease runs. Read after the sessions: who has a session has claimed before."""
    held = SyncTaskFile.objects.filter(state=ItemState.PROCESSING, lease_until__gte=Now())
    return {session_mark(pk, token) for pk, token in held.values_list("pk", "lease_token") if token is not None}
