"""Watch a task until it is finished, and tell how it ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from datasync.access import EVERYTHING
from datasync.choices import TASK_TERMINAL, ItemState, TaskState
from datasync.exceptions import QuarantineRefused, error_classes
from datasync.ingest.plan import COUNT_NAMES
from datasync.management.base import ConsoleError, Exit, Outcome
from datasync.management.progress import SyncBars, progress_wanted
from datasync.management.tables import facts, table
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs import selectors
from datasync.runs.errors import INTERNAL_ERROR
from datasync.runs.waiting_words import WaitsFor
from datasync.runs.words import error_in_words

POLL_SECONDS = 0.3
SILENCE_SECONDS = 15.0
"""After so long without a start, say that no worker seems to run."""
MOST_RESULTS = 1000


def watch(task: SyncProgressTask, *, shown: bool, timeout: float | None = None) -> None:
    """Follow a task until it is finished; ``task`` is as it ended then.

    Raises ``ConsoleError`` after ``timeout`` seconds. An interrupt ends the watching, never the task.
    """
    bars = SyncBars(shown=shown)
    began = time.monotonic()
    hinted = False
    try:
        while task.state not in TASK_TERMINAL:
            bars.show(selectors.progress(task, sight=EVERYTHING, page_size=1))
            waited = time.monotonic() - began
            if timeout is not None and waited > timeout:
                raise _still_running(task, timeout)
            if not hinted and waited > SILENCE_SECONDS and task.state == TaskState.QUEUED:
                hinted = True
                _tell("\n".join(facts(_why(selectors.glance(task).waiting))))
            time.sleep(POLL_SECONDS)
            task.refresh_from_db()
        bars.show(selectors.progress(task, sight=EVERYTHING, page_size=1))
    except KeyboardInterrupt:
        _tell(_("No longer watching; the task goes on. To see it: manage.py task_status %s --watch") % task.task_id)
        raise
    finally:
        bars.close()


def follow(task: SyncProgressTask, options: dict[str, Any], **extra: Any) -> Outcome:
    """A task just accepted, with ``--wait`` as it ended; UNAVAILABLE, and not waited for, where nobody was told of it.

    Without the broker by choice nobody has to be told: the web process looks for work by itself.
    """
    told = not task.fallback or settings.EXECUTION == "local"
    finished = options["wait"] and told
    if finished:
        watch(task, shown=progress_wanted(options), timeout=options["timeout"])
    outcome = task_outcome(task, finished=finished, **extra)
    return outcome if told else replace(outcome, exit=Exit.UNAVAILABLE)


def verdict(task: SyncProgressTask) -> Exit:
    """How a finished task ended, as an exit code: the gravest of what its files came to."""
    unsynced = (ItemState.FAILED, ItemState.SKIPPED, ItemState.CANCELLED)
    ended = SyncTaskFile.objects.filter(task=task, state__in=unsynced)
    codes = {(error or {}).get("code", "") for error in ended.values_list("error", flat=True)}
    return verdict_of(codes, rows_quarantined=task.rows_quarantined)


def verdict_of(codes: Collection[str], *, rows_quarantined: int) -> Exit:
    """The exit code for the error codes of files that were not synced and the rows put into quarantine."""
    known = error_classes()
    others = set(codes) - {QuarantineRefused.code}
    if INTERNAL_ERROR in others:
        return Exit.BUG
    if any(code in known and not known[code].permanent for code in others):
        return Exit.UNAVAILABLE
    if others:
        return Exit.REFUSED
    return Exit.QUARANTINED if codes or rows_quarantined else Exit.OK


def task_outcome(task: SyncProgressTask, *, finished: bool, **extra: Any) -> Outcome:
    """A task as a document and as lines. ``finished`` makes the way it ended the exit code."""
    document = {**selectors.progress(task, sight=EVERYTHING, page_size=MOST_RESULTS), **extra}
    return Outcome(document, _lines(document), verdict(task) if finished else Exit.OK)


def _lines(progress: dict[str, Any]) -> Iterator[str]:
    """The task, its books, then the files that are not simply done."""
    files, rows = progress["files"], progress["rows"]
    yield from facts(
        [
            (_("task"), progress["task_id"]),
            (_("state"), TaskState(progress["status"]).label),
            (_("files"), _("%(processed)s of %(total)s, %(failed)s failed, %(skipped)s skipped") % files),
            (_("rows/s"), progress["rows_per_second"]),
        ]
    )
    if progress["message"]:
        yield progress["message"]
    yield ""
    yield from facts(_why(progress["waiting"]))
    yield ""
    yield from table([_(name) for name in COUNT_NAMES], [[rows[name] for name in COUNT_NAMES]])
    notable = [result for result in progress["results"] if _is_notable(result)]
    if notable:
        yield ""
        headers = (_("file"), _("name"), _("state"), _("quarantined"), _("code"), _("what happened"))
        yield from table(headers, (_notable(result) for result in notable))
        yield _("To see the rows: manage.py quarantine list --task %s") % progress["task_id"]


def _why(waiting: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Why the task is not further: three sentences, each with the time that it is about."""
    for name, part in (("waits_for", _("waits for")), ("last", _("happened last")), ("next", _("happens next"))):
        said = waiting[name]
        at = f"  ({timezone.localtime(said['at']):%Y-%m-%d %H:%M:%S})" if said["at"] else ""
        yield part, f"{said['message']}{at}"


_HELD_UP = (WaitsFor.PAUSE, WaitsFor.SILENT_WORKER, WaitsFor.LEASE_OVER)


def _is_notable(result: dict[str, Any]) -> bool:
    """Whether a file is more than done or in its turn."""
    held_up = result["waiting"]["waits_for"]["code"] in _HELD_UP
    return held_up or bool(result["error"] or result["rows"]["quarantined"])


def _notable(result: dict[str, Any]) -> tuple[Any, ...]:
    waits_for = result["waiting"]["waits_for"]
    error = error_in_words(result["error"]) if result["error"] else {}
    if waits_for["code"] in _HELD_UP:
        error = waits_for
    quarantined = result["rows"]["quarantined"]
    name, state = result["file"], ItemState(result["status"]).label
    return (str(result["file_id"]), name, state, quarantined, error.get("code", ""), error.get("message", ""))


def _still_running(task: SyncProgressTask, timeout: float) -> ConsoleError:
    return ConsoleError(
        _("Task %(id)s is still %(state)s after %(seconds)s seconds.")
        % {"id": task.task_id, "state": task.get_state_display(), "seconds": f"{timeout:g}"},
        recovery=_("It goes on. To see it: manage.py task_status %s --watch") % task.task_id,
        code="TIMEOUT",
        exit_code=Exit.UNAVAILABLE,
    )


def _tell(text: str) -> None:
    """Say something to the person at the terminal, out of the way of the answer."""
    sys.stderr.write(f"\n{text}\n")
