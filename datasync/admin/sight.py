"""What the console shows of each model to a person who is limited to some shops.

What is not named here is the business of those who see everything: its pages do not exist for the others. They change
files and quarantined rows, and draft templates, which change nothing yet; what else holds for all shops is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest

from datasync import models
from datasync.access import NOTHING, Sight
from datasync.collection import selectors as collection

Row = TypeVar("Row", bound=Model)
_LOOKER = "_shown_to"


def sight_of(request: HttpRequest) -> Sight:
    """What whoever is at work sees: one query a request."""
    return Sight.of(request.user)


def is_shown(model: type[Model], sight: Sight) -> bool:
    """Whether there are pages of the model for this person."""
    return not sight.limited or model in _SEEN


def is_written(model: type[Model], sight: Sight) -> bool:
    """Whether this person, given the right, writes rows of the model."""
    return not sight.limited or model in _WRITTEN


def within(rows: QuerySet[Row], sight: Sight) -> QuerySet[Row]:
    """Those of the rows that are in sight."""
    if not sight.limited:
        return rows
    seen = _SEEN.get(rows.model)
    return rows.none() if seen is None else rows.filter(seen(sight))


def _everything(sight: Sight) -> Q:  # noqa: ARG001 - one of many that ask it
    """What holds for all shops, or is found out by the page itself."""
    return Q()


def _of_task(sight: Sight) -> Q:
    """Files of tasks that are in sight, which their files decide together."""
    return Q(Exists(models.SyncProgressTask.objects.filter(sight.tasks(), pk=OuterRef("task"))))


_SEEN: dict[type[Model], Callable[[Sight], Q]] = {
    models.CatalogFile: Sight.files,
    models.QuarantinedRow: Sight.rows,
    models.ConfirmedRows: Sight.rows,
    models.AuditEntry: Sight.rows,  # what was done to templates is told with files and rows of all shops
    **dict.fromkeys(models.FACT_MODELS.values(), Sight.facts),
    models.QualityReport: Sight.facts,
    models.ShopAlias: Sight.facts,
    models.SyncProgressTask: Sight.tasks,
    models.SyncTaskFile: _of_task,
    models.ExportArchive: _everything,  # the page asks the same as the API: one's own
    models.Shop: Sight.shops,
    models.CollectionAccount: collection.in_sight,
    models.ComponentVersion: _everything,
    models.Platform: _everything,
    models.HeaderTemplate: _everything,
}
_WRITTEN = frozenset({models.CatalogFile, models.QuarantinedRow, models.HeaderTemplate})


def shown_to(row: Any, sight: Sight) -> Any:
    """The row, for columns that tell of other rows: they ask ``looker`` what may be told."""
    setattr(row, _LOOKER, sight)
    return row


def looker(row: Model) -> Sight:
    """The sight in which the row is shown; of a row that nobody said it of nothing else is told."""
    sight: Sight = getattr(row, _LOOKER, NOTHING)
    return sight


def if_seen(other: Row | None, row: Model) -> Row | None:
    """What a row leads to, if it is in sight of whoever looks at the row; asks the database for who is limited only."""
    sight = looker(row)
    if other is None or not sight.limited:
        return other
    return within(QuerySet(type(other)).filter(pk=other.pk), sight).first()


class WithinSight(admin.ModelAdmin[Any]):
    """For every page: rows, choices and rights within the sight of whoever looks."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What every list, page, action, autocomplete and export starts from."""
        return within(super().get_queryset(request), sight_of(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row of a page, with the sight in which it is shown; for who is limited 404 where there is none."""
        row, sight = super().get_object(request, object_id, from_field), sight_of(request)
        if row is None and sight.limited:
            raise Http404
        return row if row is None else shown_to(row, sight)

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        """What can be chosen in a form."""
        offered = super().get_field_queryset(db, db_field, request)
        sight, related = sight_of(request), db_field.remote_field.model
        if not sight.limited:
            return offered
        return within(QuerySet(related, using=db) if offered is None else offered, sight)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Pages of which this person sees nothing are not spoken of."""
        return is_shown(self.model, sight_of(request)) and super().has_module_permission(request)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """A page that is not for this person, whatever rights of its own it has."""
        if not is_shown(self.model, sight_of(request)):
            raise PermissionDenied
        return super().changeform_view(request, object_id, form_url, extra_context)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Looking needs the right, and a model of which this person sees something."""
        return is_shown(self.model, sight_of(request)) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Adding needs the right, and what this person writes."""
        return is_written(self.model, sight_of(request)) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Changing needs the right, and what this person writes."""
        return is_written(self.model, sight_of(request)) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting needs the right, and what this person writes."""
        return is_written(self.model, sight_of(request)) and super().has_delete_permission(request, obj)
