"""One sweep: everything in work that nobody is alive for goes on, or ends with a reason.

It runs from Celery's clock, in every worker and as ``manage.py recover_tasks``. Each step is a conditional statement,
so that any number of sweepers at once do each thing once. What fails, or is not to be had within a second, is left to
the next sweep and holds up nothing else.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from datasync.runs.idempotency import forget_old_keys
from datasync.runs.sweep import items, sessions, tasks, turns
from datasync.runs.sweep.apart import apart


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did, or in a dry run would do.

    ``freed`` files are queued again, ``given_up`` ones have failed, ``stopped`` ones belong to cancelled tasks,
    ``not_started`` ones are past their task's deadline; ``sessions`` of dead workers were ended in the database,
    ``closed`` tasks had nothing left to do, ``turns`` were given because none waited at the broker. ``failed`` steps,
    files and tasks are left to the next sweep; the log says why.
    """

    freed: int = 0
    given_up: int = 0
    stopped: int = 0
    not_started: int = 0
    sessions: int = 0
    closed: int = 0
    turns: int = 0
    failed: int = 0

    @property
    def anything(self) -> bool:
        """Whether there was something to do."""
        return self != Swept()


def sweep(*, dry_run: bool = False) -> Swept:
    """End the sessions first, whose locks the next steps would wait for; then free, close and give turns."""
    swept = Counter[str]()
    with apart("ending sessions", swept):
        swept["sessions"] = sessions.end_stale(dry_run=dry_run)
    with apart("forgetting old keys", swept):
        if not dry_run:
            forget_old_keys()
    with apart("freeing files", swept):
        items.free_expired(swept, dry_run=dry_run)
    with apart("ending what was not started", swept):
        swept["not_started"] = items.end_not_started(dry_run=dry_run)
    with apart("closing tasks", swept):
        tasks.close_finished(swept, dry_run=dry_run)
    with apart("giving turns", swept):
        swept["turns"] = turns.give_missing(dry_run=dry_run)
    return Swept(**swept)
