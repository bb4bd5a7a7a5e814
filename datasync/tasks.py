"""Celery's doors to the rooms: each task loads by id, calls a service and translates nothing else."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.exceptions import Reject

from datasync.runs import worker as worker  # noqa: PLC0414 - connects the start of a worker process
from datasync.runs.slices import BellNotPassedOn
from datasync.runs.slices import run_slice as work_on_task


@shared_task(name="data_sync.run_slice", bind=True, ignore_result=True)
def run_slice(self: Any, task_id: int) -> None:
    """Work on the files of a sync task for a slice. A bell that could not be passed on is rung again by the broker."""
    redelivered = bool((self.request.delivery_info or {}).get("redelivered"))
    try:
        work_on_task(task_id, message_id=self.request.id, redelivered=redelivered)
    except BellNotPassedOn as error:
        raise Reject(error, requeue=True) from None
