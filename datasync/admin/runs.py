"""Tasks and their files: the history of what was asked for and what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import (
    NOTHING,
    HistoryAdmin,
    error_text,
    grid,
    link,
    list_link,
    pairs_table,
    progress_bar,
    remark_text,
    row_counts,
    state_badge,
    text_when_shown,
)
from datasync.admin.flow import TaskFlow
from datasync.admin.sight import if_seen, looker, within
from datasync.admin.steering import SteeringActions
from datasync.admin.waiting import ItemWaiting, TaskWaiting, WaitingColumn, WaitingList, with_waiting
from datasync.choices import ITEM_COLOURS, TASK_COLOURS, ItemState
from datasync.models import QualityReport, QuarantinedRow, SyncProgressTask, SyncTaskFile
from datasync.runs.selectors import with_live_counts
from datasync.runs.words import summary

INLINE_ITEMS = 100


class FirstItems(BaseInlineFormSet[Any, Any, Any]):
    """The first files of a task, those that failed before the others; a batch can have a thousand."""

    def get_queryset(self) -> Any:
        """Failed ones first, then in their order, cut."""
        if not hasattr(self, "_shown"):
            failed = ExpressionWrapper(Q(state=ItemState.FAILED), output_field=BooleanField())
            items = super().get_queryset().order_by(failed.desc(), "position")
            self._shown = with_waiting(items[:INLINE_ITEMS])
        return self._shown


def _first_items() -> str:
    return gettext("files (the first %(count)s, failed ones on top)") % {"count": INLINE_ITEMS}


class ItemInline(WaitingColumn, admin.TabularInline[Any, Any]):
    model = SyncTaskFile
    formset = FirstItems
    extra = 0
    can_delete = False
    show_change_link = True
    verbose_name_plural = text_when_shown(_first_items)
    fields = ("file_link", "state_badge", "waits_for", "rows", "attempt", "duration_ms", "error_text")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch the files along, and the task."""
        return super().get_queryset(request).select_related("file", "task")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Items are made by submitting."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Items are history."""
        return False

    @admin.display(description=_("file"))
    def file_link(self, item: Any) -> object:
        """The file, linked."""
        return link(item.file)

    @admin.display(description=_("state"))
    def state_badge(self, item: Any) -> SafeString:
        """The state, coloured."""
        return state_badge(item, ITEM_COLOURS)

    @admin.display(description=_("rows"))
    def rows(self, item: Any) -> str:
        """Where the rows went."""
        return row_counts(item)

    @admin.display(description=_("error"))
    def error_text(self, item: Any) -> SafeString | str:
        """What went wrong and what to do."""
        return error_text(item.error)


class LiveList(ChangeList):
    """Tasks that still run show what their files say at this moment."""

    def get_results(self, request: HttpRequest) -> None:
        """The tasks of the page, with live figures."""
        super().get_results(request)
        self.result_list = with_live_counts(self.result_list)


@admin.register(SyncProgressTask)
class SyncProgressTaskAdmin(SteeringActions, TaskFlow, TaskWaiting, HistoryAdmin):
    actions = ("cancel_chosen", "retry_chosen")
    list_display = (
        "task_id", "state_badge", "kind", "owner", "priority", "progress", "rows", "speed", "created_at", "finished_at",
    )  # fmt: skip
    list_filter = ("state", "kind", "fallback", "created_at")
    list_select_related = ("owner",)
    search_fields = ("task_id", "celery_task_id", "owner__username")
    date_hierarchy = "created_at"
    inlines = (ItemInline,)
    empty_hint = _(
        "No sync yet. Choose files in the list of files and run “Sync”, or run “manage.py sync_files --all”."
    )
    fieldsets = (
        (None, {"fields": (
            "task_id", "state_badge", "kind", "owner", "priority", "summary", "waiting", "progress", "all_items",
        )}),
        (_("rows"), {"fields": ("rows", "row_flow", "speed", "quarantined_rows")}),
        (_("options"), {"fields": (
            "only_with_template", "allow_quarantine", "use_template_header_row", "options", "parent_link", "fallback",
        )}),
        (_("what went wrong"), {"fields": ("errors_table", "warnings_table")}),
        (_("quality check"), {"fields": ("quality_table",)}),
        (_("times"), {"fields": (
            "created_at", "started_at", "finished_at", "cancel_requested_at", "deadline_at", "celery_task_id",
        )}),
    )  # fmt: skip

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list whose figures move."""
        return LiveList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The task with the figures of this moment."""
        task = super().get_object(request, object_id, from_field)
        return task if task is None else with_live_counts([task])[0]

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, task: Any) -> SafeString:
        """The state, coloured."""
        return state_badge(task, TASK_COLOURS)

    @admin.display(description=_("message"))
    def summary(self, task: Any) -> str:
        """What there is to say of the task."""
        return summary(task) or NOTHING

    @admin.display(description=_("progress"))
    def progress(self, task: Any) -> SafeString:
        """How many files are finished."""
        return progress_bar(task.succeeded_files + task.failed_files + task.skipped_files, task.total_files)

    @admin.display(description=_("rows"))
    def rows(self, task: Any) -> str:
        """Where the rows went."""
        return row_counts(task)

    @admin.display(description=_("rows/s"), ordering="rows_per_second")
    def speed(self, task: Any) -> str:
        """Rows per second."""
        return f"{task.rows_per_second:,.0f}" if task.rows_per_second else ""

    @admin.display(description=_("all files"))
    def all_items(self, task: Any) -> SafeString:
        """A link to every file of the task."""
        return list_link(SyncTaskFile, task.total_files, task__id__exact=task.pk)

    @admin.display(description=_("retry of"))
    def parent_link(self, task: Any) -> object:
        """The task that was tried again, linked; it may have had more files."""
        return link(if_seen(task.parent, task))

    @admin.display(description=_("quarantined rows"))
    def quarantined_rows(self, task: Any) -> SafeString:
        """A link to the rows that this task quarantined."""
        return list_link(QuarantinedRow, f"{task.rows_quarantined:,}", item__task__id__exact=task.pk)

    @admin.display(description=_("errors"))
    def errors_table(self, task: Any) -> SafeString | str:
        """The errors with what to do."""
        rows = ((error.get("file", error.get("file_name", "")), error_text(error)) for error in task.errors)
        return grid((_("file"), _("error")), rows)

    @admin.display(description=_("warnings"))
    def warnings_table(self, task: Any) -> SafeString | str:
        """The warnings, one a line, with the file that each is of."""
        return pairs_table((remark.get("file", ""), remark_text(remark)) for remark in task.warnings)

    @admin.display(description=_("by shop and domain"))
    def quality_table(self, task: Any) -> SafeString | str:
        """The scores of the quality gate."""
        reports = within(QualityReport.objects.filter(task=task), looker(task)).select_related("platform", "shop")[:200]
        return grid(
            (_("platform"), _("shop"), _("domain"), _("score"), _("rows")),
            ((row.platform, row.shop or "", row.get_domain_display(), row.score, row.rows) for row in reports),
        )


@admin.register(SyncTaskFile)
class SyncTaskFileAdmin(ItemWaiting, HistoryAdmin):
    list_display = (
        "file", "task", "state_badge", "waits_for", "rows", "attempt", "duration_ms", "error_shown", "finished_at",
    )  # fmt: skip
    list_filter = ("state", "file__platform", "file__domain")
    list_select_related = ("file", "task")
    search_fields = ("task__task_id", "file__original_name")
    empty_hint = _("No file has been synced yet.")
    fields = (
        "task_link", "file_link", "state_badge", "waiting", "rows", "template", "error_shown", "warnings_table",
        "position", "attempt", "crashes", "worker", "lease_until", "not_before", "rows_expected", "queued_at",
        "started_at", "finished_at", "duration_ms",
    )  # fmt: skip

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that says what each file waits for."""
        return WaitingList

    @admin.display(description=_("task"))
    def task_link(self, item: Any) -> object:
        """The task, linked."""
        return link(item.task)

    @admin.display(description=_("file"))
    def file_link(self, item: Any) -> object:
        """The file, linked."""
        return link(item.file)

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, item: Any) -> SafeString:
        """The state, coloured."""
        return state_badge(item, ITEM_COLOURS)

    @admin.display(description=_("rows"))
    def rows(self, item: Any) -> str:
        """Where the rows went."""
        return row_counts(item)

    @admin.display(description=_("error"))
    def error_shown(self, item: Any) -> SafeString | str:
        """What went wrong and what to do."""
        return error_text(item.error)

    @admin.display(description=_("warnings"))
    def warnings_table(self, item: Any) -> SafeString | str:
        """The warnings, one a line."""
        return pairs_table(enumerate((remark_text(remark) for remark in item.warnings), start=1))
