"""The clock that all processes share, and the day by it."""

from __future__ import annotations

from datetime import date, datetime

from django.db import connection
from django.utils import timezone


def database_now() -> datetime:
    """The present; an embedded database has the clock of the machine."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        now: datetime = cursor.fetchone()[0]
    return now


def day_of(moment: datetime) -> date:
    """The day of a moment in the installation's time zone."""
    return timezone.localtime(moment, timezone.get_default_timezone()).date()


def today() -> date:
    """The day that is counted at this moment."""
    return day_of(database_now())
