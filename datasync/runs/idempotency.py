"""A submit that is sent twice makes one task: the second is answered with the first one's."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar, cast

from django.contrib.auth.models import AbstractBaseUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from datasync.access import Sight
from datasync.exceptions import IdempotencyConflict, IdempotencyKeySpent, InvalidRequest
from datasync.models import IdempotencyKey, SyncProgressTask
from datasync.runs.services import Submission

S = TypeVar("S", bound="Submission | None")
HEADER = "Idempotency-Key"
LONGEST_KEY = 255
KEPT = timedelta(hours=24)
_VISIBLE_ASCII = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")
_AT_ONCE = 10_000


def submit_once(submit: Callable[[], S], *, owner: AbstractBaseUser, key: str | None, digest: str) -> S:
    """What ``submit`` gives, or what it gave when the person sent the same request with the same key before.

    The key is stored in the transaction of the submit: of two that come at once the second waits for the first. A
    submit that fails, or finds nothing to do, leaves its key free. Raises ``IdempotencyConflict`` where the key came
    with another request, or with one whose task is out of the person's sight by now, and ``InvalidRequest`` where it is
    none.
    """
    if key is None:
        return submit()
    _check(key)
    with transaction.atomic():
        keys = IdempotencyKey.objects.filter(owner_id=owner.pk, key=key)
        keys.filter(created_at__lt=Now() - KEPT).delete()
        kept, new = keys.select_related("task").get_or_create(owner_id=owner.pk, key=key, defaults={"digest": digest})
        if not new:
            return cast("S", _repeated(kept, digest, owner=owner))
        submission = submit()
        if submission is None:
            keys.delete()
            return submission
        left_out = {"missing": submission.missing_file_ids, "busy": submission.busy_file_ids}
        keys.update(task=submission.task, left_out=left_out)
    return submission


def digest_of(*, method: str, path: str, asked: Mapping[str, Any]) -> str:
    """What tells one request from another: where it goes, and what it asks for once defaults are filled in."""
    document = json.dumps([method, path, asked], sort_keys=True, cls=DjangoJSONEncoder)
    return hashlib.sha256(document.encode()).hexdigest()


def forget_old_keys() -> int:
    """Forget keys that were kept long enough; how many, a bounded number at once."""
    old = IdempotencyKey.objects.filter(created_at__lt=Now() - KEPT).order_by("created_at")
    return IdempotencyKey.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_AT_ONCE])).delete()[0]


def _check(key: str) -> None:
    if not _VISIBLE_ASCII.fullmatch(key):
        told = _("Send 1 to %(most)s visible ASCII characters.") % {"most": LONGEST_KEY}
        raise InvalidRequest(detail=told, field=HEADER)


def _repeated(kept: IdempotencyKey, digest: str, *, owner: AbstractBaseUser) -> Submission:
    task = cast("SyncProgressTask", kept.task)  # stored in the transaction that stored the key
    sight = Sight.of(owner)
    if sight.limited and not SyncProgressTask.objects.filter(sight.tasks(), pk=task.pk).exists():
        raise IdempotencyKeySpent
    if kept.digest != digest:
        raise IdempotencyConflict(task_id=task.task_id)
    return Submission(
        task=task,
        repeated=True,
        missing_file_ids=tuple(kept.left_out["missing"]),
        busy_file_ids=tuple(kept.left_out["busy"]),
    )
