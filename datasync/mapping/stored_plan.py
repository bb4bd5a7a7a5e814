"""The plans by which rows that are stored already are typed again: a template, the header they stood under, the file.

No file is read: a header set holds the header, and the catalogue what the file was said to be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from datasync.exceptions import TemplateReplaced
from datasync.fields import FIELDS, Domain
from datasync.ingest.plan import Plan
from datasync.mapping.cleared import cleared_fields, earlier_templates, previous_template, same_first_lines
from datasync.mapping.match import match
from datasync.mapping.services import bind_kept
from datasync.mapping.template import Template
from datasync.models import CatalogFile, HeaderSet, HeaderTemplate

_DATED_BY = {
    Domain.ORDERS: "ordered_at",
    Domain.PRODUCTS: "metric_date",
    Domain.ANALYTICS: "metric_date",
    Domain.SERVICES: "metric_date",
    Domain.INVENTORY: "snapshot_date",
    Domain.FINANCE: "posted_at",
}


@dataclass(frozen=True, slots=True)
class Described:
    """What rows of one file have in common: their header, and what was said of the file when they were loaded.

    ``period`` is None where their columns, or the file as it is described now, say it.
    """

    header_set_id: int
    collected_at: datetime
    period: tuple[date | None, date | None] | None = None


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan, and the positions of cells that the rows were given from above when they were loaded.

    ``placed``: amounts were kept on the first lines of orders then, so that the rows' contexts say which lines those
    are. Among the lines of two contents of the file there are several of one order.
    """

    plan: Plan
    settled: frozenset[int]
    placed: bool


class StoredPlans:
    """The plans of one file's stored rows under a template.

    Raises, when a plan is asked for, ``TemplateReplaced`` where a sync would now read the file by another template,
    and what ``bind_kept`` raises where it fits the header no longer.
    """

    def __init__(self, file: CatalogFile, *, template_id: int) -> None:
        self._file = file
        self._template_id = template_id
        self._last = previous_template(file, template_id=template_id)
        self._earlier = earlier_templates(file, template_id=template_id)
        self._by_header: dict[int, StoredPlan] = {}

    def of(self, described: Described) -> StoredPlan:
        """The plan of rows that were loaded so described."""
        known = self._known(described.header_set_id)
        scope = known.plan.scope
        if described.collected_at == scope.collected_at:
            return known
        then = replace(scope, collected_at=described.collected_at)
        if described.period is not None:
            then = replace(then, period_start=described.period[0], period_end=described.period[1])
        return replace(known, plan=replace(known.plan, scope=then))

    def keep_period(self, header_set_id: int, collected_at: datetime) -> bool:
        """Whether such rows must keep the period that they are stored with.

        The file was described otherwise then, or had other content, and no column dates its rows.
        """
        plan = self._known(header_set_id).plan
        dated = not {"period", _DATED_BY[plan.scope.domain]}.isdisjoint(column.field for column in plan.columns)
        return not dated and collected_at != plan.scope.collected_at

    def _known(self, header_set_id: int) -> StoredPlan:
        known = self._by_header.get(header_set_id)
        if known is None:
            known = self._by_header[header_set_id] = self._bound(header_set_id)
        return known

    def _bound(self, header_set_id: int) -> StoredPlan:
        header = tuple(HeaderSet.objects.values_list("headers", flat=True).get(pk=header_set_id))
        plan, template_id = bind_kept(self._file, header)
        if template_id != self._template_id:
            raise TemplateReplaced(template=str(HeaderTemplate.objects.get(pk=self._template_id)))
        fills = {column.position for column in plan.columns if column.fill_down}
        settled = fills if self._last is None else fills & _filled_down(self._last, header)
        placed = plan.totals_on_every_line and (
            self._last is None or same_first_lines(previous=self._last, header=header, plan=plan)
        )
        cleared = [cleared_fields(previous=template, header=header, plan=plan) for template in self._earlier]
        return StoredPlan(replace(plan, cleared=frozenset().union(*cleared)), frozenset(settled), placed)


def as_moment(stamp: str) -> datetime:
    """A stored time, in UTC as text."""
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC)


def _filled_down(template: Template, header: tuple[str, ...]) -> set[int]:
    """Positions of cells that a sync by the template filled down."""
    binding = match(header, [template]).binding
    known = FIELDS[template.family.domain]
    fields = {at: template.columns[target].field for at, target in binding.items()}
    return {at for at, name in fields.items() if name and known[name].fill_down}
