"""The locks under which rows of a scope are written, so that nobody judges rows that another is about to change.

A sync of one shop's file holds the domain shared and the shop alone; who may touch any shop holds the domain alone.
"""

from __future__ import annotations

import hashlib

from django.db import connections


def lock_number(*parts: object) -> int:
    """The number of an advisory lock."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def hold_domain(platform: str, domain: str, *, wait: bool, using: str = "default") -> bool:
    """Keep all loads of a platform's domain out until the transaction ends.

    False, only without ``wait``: somebody is loading. SQLite has one writer at a time; the transaction is the lock.
    """
    if connections[using].vendor != "postgresql":
        return True
    number = [lock_number(platform, domain)]
    with connections[using].cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", number)
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", number)
        return bool(cursor.fetchone()[0])
