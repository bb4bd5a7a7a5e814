"""Celery's doors to the rooms: each task loads by id, calls a service and translates nothing else."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.exceptions import Reject

from datasync.catalog import removal
from datasync.catalog.again import look_again
from datasync.exports import make
from datasync.exports import services as exports
from datasync.mapping import rematch
from datasync.runs import publish, turns
from datasync.runs import worker as worker  # noqa: PLC0414 - connects the start of a worker process
from datasync.runs.sweep import sweep


@shared_task(name=publish.TURN_TASK, bind=True, ignore_result=True)
def take_turn(self: Any) -> None:
    """Work on the task whose turn it is. A turn that could not be passed on is given again by the broker."""
    try:
        turns.take_turn(message_id=self.request.id)
    except turns.TurnNotPassedOn as error:
        raise Reject(error, requeue=True) from None


@shared_task(name="scheduled.recover_tasks", ignore_result=True)
def recover_tasks() -> None:
    """Free what dead workers held, and give turns where messages were lost."""
    sweep()


@shared_task(name=removal.BACKGROUND_TASK, ignore_result=True)
def finish_deletions() -> None:
    """Remove what goes with deleted files, a minute at a time, so that no message grows old."""
    if not removal.finish_deletions(seconds=60):
        removal.ring_for_removal()


@shared_task(name=rematch.RECHECK_TASK, ignore_result=True)
def recheck_files(
    template_id: int | None = None, platform: str = "", domain: str = "", person_id: int | None = None
) -> None:
    """Let files that wait for a template look again: those of a template's family or a platform, or that one sees."""
    rematch.recheck_for(template_id, look=look_again, platform=platform, domain=domain, person_id=person_id)


@shared_task(name=exports.BACKGROUND_TASK, ignore_result=True)
def export_file(export_id: int) -> None:
    """Make an archive that somebody asked for."""
    make.make_export(export_id)
