"""The words of ``waiting``: what a task or one of its files waits for, what happened last, and what happens next.

A label is the sentence of its code; its ``%(name)s`` are filled in when it is said. Times stand beside the sentence.
"""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class WaitsFor(TextChoices):
    """What it waits for at this moment."""

    NOTHING = "NOTHING", _("Nothing: it is finished.")
    WORKER = "WORKER", _("A worker that is free; its place among the tasks that wait is %(place)s.")
    FREE_WORKER = "FREE_WORKER", _("A worker that is free; the files of a task go in their order.")
    NO_WORKER = "NO_WORKER", _("A worker: none is running.")
    BROKER = "BROKER", _("The broker: it could not be reached, so no worker has been told of the task.")
    WINDOW = "WINDOW", _("One of the task's files in work: no more than %(most)s are in work at once.")
    PAUSE = "PAUSE", _("The end of the pause after an error that can go away by itself.")
    IN_WORK = "IN_WORK", _("Its files in work: %(in_work)s; behind them wait %(queued)s.")
    FILE_IN_WORK = "FILE_IN_WORK", _("Its worker, who is at it.")
    SILENT_WORKER = "SILENT_WORKER", _("Its worker, who has not been heard of lately; its lease runs out.")
    LEASE_OVER = "LEASE_OVER", _("A sweeper: its worker is gone, the lease has run out.")
    CANCEL = "CANCEL", _("The end of its files in work, to be cancelled: %(in_work)s.")
    CLOSING = "CLOSING", _("Its closing: all files are done.")
    DEADLINE = "DEADLINE", _("A sweeper: the task's deadline has passed before the file was begun.")
    DESCRIPTION = "DESCRIPTION", _("A person who describes the file.")
    TEMPLATE = "TEMPLATE", _("A person who publishes a template that fits the file.")


class Happened(TextChoices):
    """What happened last."""

    SUBMITTED = "SUBMITTED", _("It was submitted.")
    FILE_TAKEN = "FILE_TAKEN", _("A worker took one of its files.")
    FILE_DONE = "FILE_DONE", _("One of its files was finished.")
    TAKEN = "TAKEN", _("A worker took it; attempt %(attempt)s.")
    TRIED = "TRIED", _("Attempt %(attempt)s failed: %(error)s")
    WORKER_LOST = "WORKER_LOST", _("A worker vanished with it in hand; so far %(crashes)s did.")
    SIGN_OF_LIFE = "SIGN_OF_LIFE", _("Its worker was heard of for the last time.")
    CANCEL_ASKED = "CANCEL_ASKED", _("Somebody asked to cancel it.")
    FINISHED = "FINISHED", _("It was finished.")
    CANCELLED = "CANCELLED", _("It was cancelled.")
    FAILED = "FAILED", _("It failed: %(error)s")
    LEFT_OUT = "LEFT_OUT", _("It was left out: %(error)s")


class Next(TextChoices):
    """What happens next, by itself or by somebody."""

    NOTHING = "NOTHING", _("Nothing.")
    TURN = "TURN", _("Its turn comes by itself: tasks take turns of about a second.")
    START_A_WORKER = "START_A_WORKER", _("Start a worker, as “make serve” does; it finds the task by itself.")
    TOLD_AGAIN = "TOLD_AGAIN", _("The web process works on it as it can; workers are told once the broker is back.")
    TRIED_AGAIN = "TRIED_AGAIN", _("It is tried again; attempt %(attempt)s.")
    FINISHES = "FINISHES", _("It goes on until it is finished or its time limit is over.")
    FREED = "FREED", _("It is queued again for another worker.")
    GIVEN_UP = "GIVEN_UP", _("It fails: workers died with it too often.")
    STOPS = "STOPS", _("It stops within seconds; of a file that is stopped no row is kept.")
    CLOSES = "CLOSES", _("A worker or a sweeper closes it within seconds.")
    NOT_STARTED = "NOT_STARTED", _("It ends as not started; then the task can be retried.")
    RETRY = "RETRY", _("Files that were not synced: %(files)s. Retry the task to sync them.")
    RETRIED = "RETRIED", _("It was retried as task %(task_id)s.")
    LOOK = "LOOK", _("Files that were left out: %(files)s. Each says what to do.")
    ADVICE = "ADVICE", "%(advice)s"
    REVIEW = "REVIEW", _("Rows were put into quarantine: %(rows)s. Correct and release them, or discard them.")
