"""Before a task is accepted: one submit of a person at a time, and whoever limits people is asked."""

from __future__ import annotations

from functools import partial

from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models import QuerySet

from datasync.models import CatalogFile, SyncProgressTask
from datasync.runs.usage import rows_expected, rows_of_files
from datasync.signals import before_submit


def hold_owner(owner: AbstractBaseUser | None) -> None:
    """Keep other submits of the person out until the transaction ends; the first lock that a submit takes.

    What counts their active tasks counts under it. SQLite lets one transaction write at a time anyway.
    """
    if owner is not None:
        list(User.objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk"))


def foresee(files: QuerySet[CatalogFile], *, number: int, owner: AbstractBaseUser | None) -> None:
    """Ask whether a task over these files would be accepted, before it has items: a refusal costs others little.

    Where there are no files there will be no task, and nothing to refuse.
    """
    if number:
        rows = partial(rows_of_files, files)
        before_submit.send(sender=SyncProgressTask, task=None, owner=owner, files=number, rows=rows)


def admit(task: SyncProgressTask, *, owner: AbstractBaseUser | None, files: int, foreseen: int = 0) -> None:
    """Ask whether the task, whose items are made, may be accepted; a refusal is raised and undoes all of it.

    Nobody is asked again over as many files as were ``foreseen`` in this transaction: the owner's row is held.
    """
    if files == foreseen:
        return
    rows = partial(rows_expected, task.pk)
    before_submit.send(sender=SyncProgressTask, task=task, owner=owner, files=files, rows=rows)
