"""Tasks and errors in the language of whoever reads: rows keep codes and numbers, sentences are made at reading."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from datasync.choices import TASK_TERMINAL, TaskKind, TaskState
from datasync.exceptions import error_classes
from datasync.ingest.plan import COUNT_NAMES
from datasync.models import SyncProgressTask
from datasync.remarks import SENTENCES
from datasync.runs.waiting_words import Next, WaitsFor


def summary(task: SyncProgressTask) -> str:
    """What a finished task came to, or why no worker was told of one that waits; blank: nothing to say."""
    if task.state not in TASK_TERMINAL:
        return _untold() if task.state == TaskState.QUEUED and task.fallback and settings.EXECUTION == "celery" else ""
    comma = _(", ")
    files = [
        _files_done(task),
        *([_("%(count)s failed") % {"count": task.failed_files}] if task.failed_files else []),
        *([_skipped(task) % {"count": task.skipped_files}] if task.skipped_files else []),
    ]
    counts = {name: getattr(task, f"rows_{name}") for name in COUNT_NAMES}
    rows = _rows_done(task) % {"count": f"{counts.pop('read'):,}"}
    if outcomes := [f"{number:,} {_(name)}" for name, number in counts.items() if number]:
        rows = _("%(whole)s: %(parts)s") % {"whole": rows, "parts": comma.join(outcomes)}
    return _("%(files)s; %(rows)s.") % {"files": comma.join(files), "rows": rows}


def _untold() -> str:
    return f"{WaitsFor.BROKER.label} {Next.TOLD_AGAIN.label}"


def _skipped(task: SyncProgressTask) -> str:
    return _("%(count)s stopped or skipped") if task.state == TaskState.CANCELLED else _("%(count)s skipped")


def _files_done(task: SyncProgressTask) -> str:
    if task.kind == TaskKind.REMAP:
        return _("%(done)s of %(total)s files typed again") % {"done": task.succeeded_files, "total": task.total_files}
    return _("%(synced)s of %(total)s files synced") % {"synced": task.succeeded_files, "total": task.total_files}


def _rows_done(task: SyncProgressTask) -> str:
    return _("%(count)s stored rows") if task.kind == TaskKind.REMAP else _("%(count)s rows read")


def error_in_words(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored error in the active language; its English text where its code or parameters no longer fit."""
    code, message = stored.get("code", ""), stored.get("message", "")
    cls = error_classes().get(code)
    translated = _(message) if message else ""  # gettext of nothing is the header of the catalogue
    if cls is not None:
        with suppress(KeyError, TypeError, ValueError):
            translated = _(cls(**stored.get("params", {})).template) % stored.get("params", {})
    recovery = stored.get("recovery", "")
    return {"code": code, "message": translated, "recovery": _(recovery) if recovery else ""}


def remark_in_words(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored remark in the active language, beside what else it says, such as the file that it is of."""
    translated = error_in_words(stored)
    if stored.get("code") in SENTENCES:
        with suppress(KeyError, TypeError, ValueError):
            translated["message"] = _(SENTENCES[stored["code"]]) % stored.get("params", {})
    return {name: translated.get(name, value) for name, value in stored.items() if name != "params"}
