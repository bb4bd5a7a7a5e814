"""Before a task is accepted: one submit of a person at a time, and whoever limits people is asked."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser

from datasync.models import SyncProgressTask
from datasync.signals import before_submit


def hold_owner(owner: AbstractBaseUser | None) -> None:
    """Keep other submits of the person out until the transaction ends; the first lock that a submit takes.

    What counts their active tasks counts under it. SQLite lets one transaction write at a time anyway.
    """
    if owner is not None:
        list(get_user_model().objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk"))


def admit(task: SyncProgressTask, *, owner: AbstractBaseUser | None, files: int) -> None:
    """Ask whether the task, whose items are made, may be accepted; a refusal is raised and undoes all of it."""
    before_submit.send(sender=SyncProgressTask, task=task, owner=owner, files=files)
