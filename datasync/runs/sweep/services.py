"""One sweep: everything in work that nobody is alive for goes on, or ends with a reason.

It runs from Celery's clock, in every worker and as ``manage.py recover_tasks``. Each step is a conditional statement,
so that any number of sweepers at once do each thing once.
"""

from __future__ import annotations

from dataclasses import dataclass

from datasync.runs.idempotency import forget_old_keys
from datasync.runs.sweep import items, sessions, tasks, turns


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did, or in a dry run would do.

    ``freed`` files are queued again, ``given_up`` ones have failed, ``stopped`` ones belong to cancelled tasks,
    ``not_started`` ones are past their task's deadline; ``sessions`` of dead workers were ended in the database,
    ``closed`` tasks had nothing left to do, ``turns`` were given because none waited at the broker.
    """

    freed: int = 0
    given_up: int = 0
    stopped: int = 0
    not_started: int = 0
    sessions: int = 0
    closed: int = 0
    turns: int = 0

    @property
    def anything(self) -> bool:
        """Whether there was something to do."""
        return any((self.freed, self.given_up, self.stopped, self.not_started, self.sessions, self.closed, self.turns))


def sweep(*, dry_run: bool = False) -> Swept:
    """End the sessions first, whose locks the next steps would wait for; then free, close and give turns."""
    ended = sessions.end_stale(dry_run=dry_run)
    if not dry_run:
        forget_old_keys()
    freed, given_up, stopped = items.free_expired(dry_run=dry_run)
    return Swept(
        sessions=ended,
        freed=freed,
        given_up=given_up,
        stopped=stopped,
        not_started=items.end_not_started(dry_run=dry_run),
        closed=tasks.close_finished(dry_run=dry_run),
        turns=turns.give_missing(dry_run=dry_run),
    )
