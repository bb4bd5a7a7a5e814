"""What a file's rows hold of an earlier template, and would keep, because the template of today writes other fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datasync.choices import ITEM_SUCCEEDED
from datasync.ingest.plan import Column, Plan
from datasync.mapping.match import match
from datasync.mapping.plan import columns_of
from datasync.mapping.store import to_template
from datasync.mapping.template import Template
from datasync.models import CatalogFile, HeaderTemplate, SyncTaskFile

_ORDER = frozenset({"order_id", "shop_label"})


def cleared_now(file: CatalogFile, header: Sequence[str], plan: Plan, *, template_id: int | None) -> frozenset[str]:
    """The fields that an update of a row of the file has to clear where the file is read by this template now.

    Those that any earlier template of the file fed and this one does not: the row may not have been read since. An
    amount that is only fed otherwise is the last template's until one sync has gone by: later, a blank erases none.
    """
    earlier = earlier_templates(file, template_id=template_id) if file.synced_at is not None else []
    if not earlier:
        return frozenset()
    previous = previous_template(file, template_id=template_id)
    otherwise = cleared_fields(previous=previous, header=header, plan=plan) if previous is not None else frozenset()
    return otherwise | unfed_fields(earlier, header, plan)


def unfed_fields(earlier: Iterable[Template], header: Sequence[str], plan: Plan) -> frozenset[str]:
    """The fields that one of the templates fed, and the plan does not."""
    before = [_fed(columns_of(match(header, [template]), template=template, header=header)) for template in earlier]
    return frozenset().union(*before) - _fed(plan.columns).keys()


def cleared_fields(*, previous: Template, header: Sequence[str], plan: Plan) -> frozenset[str]:
    """The fields whose stored values are ``previous``'s: those that only it fed, and amounts that it fed otherwise.

    An amount of a whole order is not erased by a blank, so one that came from another cell, or stood on each line,
    would stay beside what the plan says now.
    """
    before = _fed(columns_of(match(header, [previous]), template=previous, header=header))
    now = _fed(plan.columns)
    moved = previous.totals_on_every_line != plan.totals_on_every_line
    otherwise = {
        name
        for name in before.keys() & now.keys()
        if now[name].order_level and (moved or _reading(before[name]) != _reading(now[name]))
    }
    return frozenset(before.keys() - now.keys() | otherwise)


def same_first_lines(*, previous: Template, header: Sequence[str], plan: Plan) -> bool:
    """Whether ``previous`` has kept amounts on the first lines of the very orders that ``plan`` sees."""
    before = _fed(columns_of(match(header, [previous]), template=previous, header=header))
    now = _fed(plan.columns)
    kept = previous.totals_on_every_line and any(column.order_level for column in before.values())
    return (
        kept
        and plan.totals_on_every_line
        and all(
            name in before and name in now and _reading(before[name]) == _reading(now[name])
            for name in _ORDER & (before.keys() | now.keys())
        )
    )


def earlier_templates(file: CatalogFile, *, template_id: int | None) -> list[Template]:
    """All other templates by which rows of the file may have been typed."""
    used = file.items.order_by().values_list("template_id", flat=True).distinct()
    others = [pk for pk in {file.template_id, *used} if pk not in (None, template_id)]
    rows = HeaderTemplate.objects.filter(pk__in=others).prefetch_related("columns") if others else ()
    return [to_template(row) for row in rows]


def previous_template(file: CatalogFile, *, template_id: int | None) -> Template | None:
    """The template by which the file's rows were written last; None where that is ``template_id``, or not known."""
    if file.synced_at is None:
        return None
    items = SyncTaskFile.objects.filter(file=file, state__in=ITEM_SUCCEEDED).order_by("-finished_at", "-pk")
    last = items.values_list("template_id", flat=True).first()
    if last is None or last == template_id:
        return None
    row = HeaderTemplate.objects.prefetch_related("columns").filter(pk=last).first()
    return to_template(row) if row is not None else None


def _fed(columns: Sequence[Column]) -> dict[str, Column]:
    return {column.field: column for column in columns if column.field}


def _reading(column: Column) -> tuple[object, ...]:
    return column.position, column.kind, column.format, column.number_format
