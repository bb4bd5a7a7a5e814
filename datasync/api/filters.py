"""The queries of the lists: a fixed set of filters and orderings, each applied by name."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from datasync.access import Sight
from datasync.catalog.selectors import TEMPLATE_STATUS, Filters, matching_files
from datasync.choices import DomainChoice, FileState, Granularity, SubDomain, TaskKind, TaskState
from datasync.models import CatalogFile, SyncProgressTask
from erp.api.pagination import PagedQuery


def _ordering(*names: str, default: str) -> serializers.ChoiceField:
    choices = [*names, *(f"-{name}" for name in names)]
    return serializers.ChoiceField(choices, default=default, help_text="A leading `-` turns it round.")


class FileQuery(PagedQuery):
    """Filters of the catalogue."""

    platform = serializers.CharField(max_length=32, required=False)
    domain = serializers.ChoiceField(DomainChoice.choices, required=False)
    sub_domain = serializers.ChoiceField(SubDomain.choices, required=False)
    granularity = serializers.ChoiceField(Granularity.choices, required=False)
    status = serializers.ChoiceField(
        FileState.choices, required=False, help_text="`deleted` for staff only; no other list shows deleted files."
    )
    shop = serializers.CharField(max_length=100, required=False, help_text="The platform's id of the shop.")
    template_status = serializers.ChoiceField(
        list(TEMPLATE_STATUS), required=False, help_text="Whether a published template fits."
    )
    search = serializers.CharField(max_length=200, required=False, help_text="Part of the file's name.")
    ordering = _ordering(
        "id", "original_name", "size", "first_seen_at", "synced_at", "collected_at", "status", default="-id"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What is deleted is shown to those who can bring it back."""
        if attrs.get("status") == FileState.DELETED and not self.context["user"].is_staff:
            raise serializers.ValidationError({"status": _("Only staff may ask for deleted files.")})
        return super().validate(attrs)


class TaskQuery(PagedQuery):
    """Filters of the history of tasks."""

    default_page_size = 20

    status = serializers.ChoiceField(TaskState.choices, required=False)
    type = serializers.ChoiceField(TaskKind.choices, required=False)
    user = serializers.CharField(max_length=150, required=False, help_text="A sign-in name; staff only.")
    created_from = serializers.DateTimeField(required=False)
    created_to = serializers.DateTimeField(required=False, help_text="Not included.")
    ordering = _ordering("created_at", "finished_at", "priority", "status", default="-created_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only staff see tasks of others, so only they may ask for them."""
        if "user" in attrs and not self.context["user"].is_staff:
            raise serializers.ValidationError({"user": _("Only staff may ask for the tasks of others.")})
        return super().validate(attrs)


class ResultQuery(PagedQuery):
    """Which of a task's files to show beside its progress."""


_TASK_LOOKUPS = {
    "status": "state",
    "type": "kind",
    "user": "owner__username",
    "created_from": "created_at__gte",
    "created_to": "created_at__lt",
}
_COLUMNS = {"status": "state"}


def order_by(rows: QuerySet[Any], ordering: str) -> QuerySet[Any]:
    """Order by a whitelisted name, and by id where that leaves a tie."""
    sign, name = ("-", ordering[1:]) if ordering.startswith("-") else ("", ordering)
    return rows.order_by(f"{sign}{_COLUMNS.get(name, name)}", f"{sign}id" if name != "id" else "id")


def filter_tasks(tasks: QuerySet[SyncProgressTask], query: dict[str, Any]) -> QuerySet[SyncProgressTask]:
    """The tasks that a validated query asks for."""
    wanted = {lookup: query[name] for name, lookup in _TASK_LOOKUPS.items() if name in query}
    return order_by(tasks.filter(**wanted), query["ordering"])


def filter_files(query: dict[str, Any], *, sight: Sight) -> QuerySet[CatalogFile]:
    """The files that a validated query asks for."""
    wanted = {field.name: query[field.name] for field in fields(Filters) if field.name in query}
    return order_by(matching_files(Filters(**wanted), sight=sight), query["ordering"])
