"""The Idempotency-Key header: a request that is sent twice with the same key makes one task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from rest_framework.request import Request

from datasync.models import SyncProgressTask
from datasync.runs.idempotency import HEADER, S, digest_of, submit_once
from datasync.runs.selectors import with_live_counts
from datasync.runs.services import Submission
from erp.api.authentication import person_of

T = TypeVar("T", bound=SyncProgressTask | None)


def once(request: Request, asked: Mapping[str, Any], submit: Callable[[], S]) -> S:
    """What the submit gives, or gave when the same request came before with the same key; the task as it is now."""
    digest = digest_of(method=str(request.method), path=request.path.rstrip("/"), asked=asked)
    given = submit_once(submit, owner=person_of(request), key=request.headers.get(HEADER), digest=digest)
    if given is not None and given.repeated:
        with_live_counts([given.task])
    return given


def task_once(request: Request, asked: Mapping[str, Any], submit: Callable[[], T]) -> T:
    """The same for a submit that gives a task or nothing."""

    def submission() -> Submission | None:
        task = submit()
        return None if task is None else Submission(task=task)

    given = once(request, asked, submission)
    return cast("T", None if given is None else given.task)
