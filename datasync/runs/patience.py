"""Transactions that hold what others wait for, such as the row of a task: the server ends one that stands still.

A worker's session is named after its attempt (``claim.name_session``), and is ended once the lease is over. This is for
those who have no lease: closers, people who cancel, and the sweeper.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, Func, Q, Value


def hold_briefly(*, wait_seconds: float = 0.0) -> None:
    """Have the transaction ended when this process is silent in it for the time of a lease, as one that is frozen is.

    With ``wait_seconds`` no statement of it waits longer for a lock; one that would raises ``OperationalError``. SQLite
    has one writer at a time, and nobody who could end it.
    """
    if connection.vendor == "postgresql":
        told = {_SILENCE: settings.LEASE_SECONDS, "lock_timeout": wait_seconds}
        values = [part for name, seconds in told.items() for part in (name, _milliseconds(seconds))]
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, true), set_config(%s, %s, true)", values)


def held_briefly() -> Q | Func:
    """The same said by the statement that takes hold, as a condition of it that every row meets.

    It spares the statement of ``hold_briefly`` where the transaction begins with an UPDATE. One that finds no row says
    nothing, and holds nothing.
    """
    if connection.vendor != "postgresql":
        return Q()
    told = Value(_SILENCE), Value(_milliseconds(settings.LEASE_SECONDS)), Value(True)
    template = "%(function)s(%(expressions)s) IS NOT NULL"
    return Func(*told, function="set_config", template=template, output_field=BooleanField())


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms"


_SILENCE = "idle_in_transaction_session_timeout"
