"""What the project itself stores, people with it, and what Celery keeps."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results.admin import GroupResultAdmin, TaskResultAdmin
from django_celery_results.models import GroupResult, TaskResult

from datasync.admin.base import HistoryAdmin
from datasync.admin.sight import WithinSight
from erp.lockout.admin import FailedSignInAdmin
from erp.models import WorkerHeartbeat
from erp.people_admin import PersonAdmin, RoleAdmin
from erp.token_admin import ApiTokenAdmin

__all__ = ["ApiTokenAdmin", "FailedSignInAdmin", "PersonAdmin", "RoleAdmin", "WorkerHeartbeatAdmin"]


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(HistoryAdmin):
    list_display = ("worker", "seen_at")
    search_fields = ("worker",)
    empty_hint = _("No worker was heard of within the last day. “make serve” starts one.")


class ResultHistory(HistoryAdmin):
    """What Celery noted of a task. The sync tasks say more."""

    empty_hint = _("No result yet: each task that a worker ran leaves one here.")


def _as_history(shown: type[Any]) -> type[HistoryAdmin]:
    """A page of django-celery-results as it comes, without its ways to change what happened."""
    kept = ("date_hierarchy", "list_display", "list_filter", "search_fields", "fieldsets")
    told: dict[str, Any] = {name: getattr(shown, name) for name in kept}
    return type(shown.__name__, (ResultHistory,), told)


for _model, _shown in ((TaskResult, TaskResultAdmin), (GroupResult, GroupResultAdmin)):
    admin.site.unregister(_model)
    admin.site.register(_model, _as_history(_shown))

for _schedule in (PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule):
    _page = type(admin.site.get_model_admin(_schedule))
    admin.site.unregister(_schedule)
    admin.site.register(_schedule, type(_page.__name__, (WithinSight, _page), {}))
