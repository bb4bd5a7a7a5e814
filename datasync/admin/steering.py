"""Cancelling and retrying tasks in the console: first what would happen, then the button that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from datasync.admin.base import grid, link, state_badge
from datasync.admin.messages import report_busy, report_error
from datasync.admin.sight import sight_of
from datasync.choices import TASK_COLOURS
from datasync.exceptions import SyncError
from datasync.models import SyncProgressTask
from datasync.runs.again import retry_task, retryable
from datasync.runs.cancel import as_it_stands, cancel_task
from datasync.runs.services import Submission

CONFIRMED = "confirmed"
FAILED, UNFINISHED = "failed", "unfinished"
MOST_TASKS = 100
"""How many tasks one click may steer."""


class SteeringActions:
    """For the page of tasks."""

    admin_site: Any
    opts: Any

    def has_steer_permission(self, request: HttpRequest) -> bool:
        """Tasks are history that nobody edits; who could, may stop and repeat them."""
        return request.user.has_perm("datasync.change_syncprogresstask")

    @admin.action(description=gettext_lazy("Cancel …"), permissions=("steer",))
    def cancel_chosen(self, request: HttpRequest, queryset: QuerySet[SyncProgressTask]) -> TemplateResponse | None:
        """Show what is left to stop of the chosen tasks; confirmed, stop it."""
        tasks = _chosen(request, queryset)
        if request.POST.get(CONFIRMED):
            for task in tasks:
                _each(request, task, _cancel)
            return None
        rows = (
            (link(task), state_badge(task, TASK_COLOURS), stands.finished.files, stands.stopping.files)
            for task, stands in ((task, as_it_stands(task)) for task in tasks)
        )
        table = grid((_("task"), _("state"), _("files finished, which stay so"), _("files to stop")), rows)
        return self._question(
            request, tasks, action="cancel_chosen", title=_("Cancel tasks"), table=table,
            buttons=((FAILED, _("Cancel the tasks")),),
        )  # fmt: skip

    @admin.action(description=gettext_lazy("Retry …"), permissions=("steer",))
    def retry_chosen(self, request: HttpRequest, queryset: QuerySet[SyncProgressTask]) -> TemplateResponse | None:
        """Show what there is to retry of the chosen tasks; confirmed, make a new task for each."""
        tasks = _chosen(request, queryset)
        if confirmed := request.POST.get(CONFIRMED):
            for task in tasks:
                _each(request, task, _retry_failed if confirmed == FAILED else _retry_unfinished)
            return None
        sight = sight_of(request)
        rows = (
            (link(task), state_badge(task, TASK_COLOURS), *retryable(task, sight=sight), link(task.retries.first()))
            for task in tasks
        )
        headers = (_("task"), _("state"), _("failed"), _("stopped or not started"), _("retried already by"))
        return self._question(
            request, tasks, action="retry_chosen", title=_("Retry tasks"), table=grid(headers, rows),
            buttons=(
                (FAILED, _("Retry failed files")),
                (UNFINISHED, _("Retry failed, stopped and not started files")),
            ),
        )  # fmt: skip

    def _question(
        self,
        request: HttpRequest,
        tasks: Iterable[SyncProgressTask],
        *,
        action: str,
        title: str,
        table: SafeString | str,
        buttons: Sequence[tuple[str, str]],
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "table": table,
            "action": action,
            "confirmed": CONFIRMED,
            "buttons": buttons,
            "checkbox": ACTION_CHECKBOX_NAME,
            "ids": [task.pk for task in tasks],
        }
        return TemplateResponse(request, "admin/datasync/task_question.html", context)


def _chosen(request: HttpRequest, queryset: QuerySet[SyncProgressTask]) -> list[SyncProgressTask]:
    tasks = list(queryset.order_by("pk")[: MOST_TASKS + 1])
    if len(tasks) > MOST_TASKS:
        messages.warning(request, _("Only the first %(count)s tasks are taken.") % {"count": MOST_TASKS})
    return tasks[:MOST_TASKS]


def _each(request: HttpRequest, task: SyncProgressTask, act: Callable[[HttpRequest, SyncProgressTask], None]) -> None:
    """One task; that it cannot be done with one does not keep the others from it."""
    try:
        act(request, task)
    except SyncError as error:
        report_error(request, error, about=task.task_id)


def _cancel(request: HttpRequest, task: SyncProgressTask) -> None:
    cancelled = cancel_task(task)
    count = cancelled.stopped.files
    told = ngettext("%(count)s file stopped", "%(count)s files stopped", count) % {"count": count}
    if cancelled.stopping.files:
        told = f"{told}; {_('files in hand stop within seconds: %(count)s') % {'count': cancelled.stopping.files}}"
    messages.success(request, format_html("{}: {}.", link(cancelled.task), told))


def _retry_failed(request: HttpRequest, task: SyncProgressTask) -> None:
    _tell_retried(request, task, retry_task(task, sight=sight_of(request)))


def _retry_unfinished(request: HttpRequest, task: SyncProgressTask) -> None:
    _tell_retried(request, task, retry_task(task, sight=sight_of(request), only_failed=False))


def _tell_retried(request: HttpRequest, task: SyncProgressTask, retried: Submission) -> None:
    report_busy(request, retried.busy_file_ids, about=task.task_id)
    count = retried.task.total_files
    told = ngettext("%(count)s file", "%(count)s files", count) % {"count": count}
    messages.success(request, format_html("{} → {}: {}.", link(task), link(retried.task), told))
