"""Why a task or one of its files waits, for their pages and lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.admin.base import NOTHING, pairs_table
from datasync.runs.situation import situations
from datasync.runs.waiting import Said, Waiting, item_waiting, task_waiting
from datasync.runs.waiting_words import WaitsFor


def with_waiting(items: Iterable[Any]) -> list[Any]:
    """The same files, each with what it waits for as ``waits``; a fixed number of statements for all of them."""
    rows = list(items)
    found = situations({item.task_id: item.task for item in rows}.values())
    for item in rows:
        item.waits = item_waiting(item, found[item.task_id])
    return rows


class WaitingList(ChangeList):
    """Files of tasks, each of which can say what it waits for."""

    def get_results(self, request: HttpRequest) -> None:
        """The files of the page, asked about together."""
        super().get_results(request)
        self.result_list = with_waiting(self.result_list)


class WaitingColumn:
    """A column of lists whose rows come from ``with_waiting``."""

    @admin.display(description=gettext_lazy("waits for"))
    def waits_for(self, item: Any) -> str:
        """What it waits for; a dash where it is finished."""
        waits: Said = item.waits.waits_for
        return NOTHING if waits.code is WaitsFor.NOTHING else waits.message


class TaskWaiting:
    """A read-only field of the page of ``SyncProgressTask``."""

    @admin.display(description=gettext_lazy("why it waits"))
    def waiting(self, task: Any) -> SafeString | str:
        """What it waits for, what happened last, what happens next."""
        return _table(task_waiting(situations([task])[task.pk]))


class ItemWaiting(WaitingColumn):
    """A read-only field of the page of ``SyncTaskFile``."""

    @admin.display(description=gettext_lazy("why it waits"))
    def waiting(self, item: Any) -> SafeString | str:
        """What it waits for, what happened last, what happens next."""
        return _table(item_waiting(item, situations([item.task])[item.task_id]))


def _table(waiting: Waiting) -> SafeString | str:
    parts = ((_("waits for"), waiting.waits_for), (_("happened last"), waiting.last), (_("happens next"), waiting.next))
    return pairs_table((name, _with_time(said)) for name, said in parts)


def _with_time(said: Said) -> SafeString | str:
    if said.at is None:
        return said.message
    at = f"{timezone.localtime(said.at):%Y-%m-%d %H:%M:%S}"
    return format_html('{} <span class="help">{}</span>', said.message, at)
