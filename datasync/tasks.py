"""Celery's doors to the rooms: each task loads by id, calls a service and translates nothing else."""

from __future__ import annotations

from celery import shared_task

from datasync.runs import worker as worker  # noqa: PLC0414 - connects the start of a worker process
from datasync.runs.slices import run_slice as work_on_task


@shared_task(name="data_sync.run_slice", ignore_result=True)
def run_slice(task_id: int) -> None:
    """Work on the files of a sync task for a slice."""
    work_on_task(task_id)
