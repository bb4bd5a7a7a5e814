"""The clean tables. They can hold tens of millions of rows, so that nothing here counts or sorts them whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import NOTHING, HistoryAdmin, grid, link, pairs_table
from datasync.admin.fact_filters import PeriodFilter, ShopFilter, by_shops
from datasync.admin.field_names import FIELD_NAMES
from datasync.admin.sight import looker, shown_to, sight_of
from datasync.facts.columns import original_row
from datasync.facts.lineage import Lineage, lineage_of
from datasync.models import (
    Fact,
    FinanceEntry,
    InventorySnapshot,
    OrderLine,
    ProductMetric,
    ServiceMetric,
    TrafficMetric,
)

LISTED_AT_MOST = 10_000


class CappedPaginator(Paginator[Any]):
    """Counts no further than ``LISTED_AT_MOST``: beyond it one filters, nobody turns ten thousand pages."""

    @cached_property
    def count(self) -> int:
        """How many rows can be turned to."""
        rows = cast("QuerySet[Model]", self.object_list)
        return rows.order_by()[:LISTED_AT_MOST].count()


class FactList(ChangeList):
    """Facts that each know in whose sight they are shown: a file that they come from may be out of it."""

    def get_results(self, request: HttpRequest) -> None:
        """The facts of the page."""
        super().get_results(request)
        self.result_list = [shown_to(fact, sight_of(request)) for fact in self.result_list]


def estimated_rows(model: type[Model]) -> int:
    """About how many rows a table has, in constant time: from the planner's statistics, or the last row number."""
    connection = connections["default"]
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        else:
            quoted = connection.ops.quote_name(table)
            cursor.execute(f"SELECT coalesce(max(rowid), 0) FROM {quoted}")  # noqa: S608 - a table's own name
        return int(cursor.fetchone()[0])


@cache
def _headed(name: str) -> str | Callable[[Any], object]:
    """A column of the list: a field under the name that people know it by, where the model has another."""
    if name not in FIELD_NAMES:
        return name

    @admin.display(description=FIELD_NAMES[name])
    def value(fact: Any) -> object:
        return getattr(fact, name)

    value.__name__ = name
    return value


class FactAdmin(HistoryAdmin):
    """Facts of one domain. ``key_fields`` are what a person knows a row by, ``value_fields`` what they look for."""

    key_fields: ClassVar[tuple[str, ...]] = ()
    value_fields: ClassVar[tuple[str, ...]] = ()
    indexed_search: ClassVar[str] = ""
    paginator = CappedPaginator
    list_filter = (PeriodFilter, ShopFilter, "granularity")
    list_select_related = ("platform", "shop", "file_last")
    sortable_by = ()
    ordering = ("-period_start", "-pk")
    search_help_text = _("Searches for exactly what is written, in full.")
    empty_hint = _("No rows yet. Sync files of this domain: choose them in the list of files and run “Sync”.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The facts in sight, by an index where they are of few shops."""
        return by_shops(super().get_queryset(request), sight_of(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list that tells of files in sight only."""
        return FactList

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        """Key, place, values, origin."""
        head, *others = map(_headed, self.key_fields)
        values = map(_headed, (*self.value_fields, "currency"))
        return (head, "platform", "shop_name", *others, *values, "period_start", "last_file")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The page of a row calls the fields as people do."""
        return super().get_form(request, obj, change, **{"labels": FIELD_NAMES, **kwargs})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the row says, where it comes from, and the row as it stood in the file."""
        shared = [field.name for field in Fact._meta.get_fields() if field.name != "raw"]
        own = [field.name for field in self.model._meta.fields if field.name not in {*shared, "raw"}]
        origin = [name for name in shared if name not in {"file_first", "file_last", "header_set", "context"}]
        return (
            (None, {"fields": own}),
            (_("where it comes from"), {"fields": [*origin, "lineage"]}),
            (_("original row"), {"fields": ["original_row"]}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Everything: facts come from files alone."""
        return (*(field.name for field in self.model._meta.fields), "lineage", "original_row")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Say about how many rows there are where not all are listed: of all shops, to who sees all."""
        rows = 0 if sight_of(request).limited else estimated_rows(self.model)
        subtitle = None
        if rows > LISTED_AT_MOST:
            subtitle = _("about %(rows)s rows; the first %(listed)s are listed, filter to see others") % {
                "rows": f"{rows:,}",
                "listed": f"{LISTED_AT_MOST:,}",
            }
        return super().changelist_view(request, {"subtitle": subtitle, **(extra_context or {})})

    @admin.display(description=_("shop"))
    def shop_name(self, fact: Any) -> object:
        """The shop, linked."""
        return link(fact.shop)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look where an index leads first; only what is not there is looked for in the whole table."""
        if self.indexed_search and search_term:
            found = queryset.filter(**{self.indexed_search: search_term})
            if found.exists():
                return found, False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description=_("last file"))
    def last_file(self, fact: Any) -> object:
        """The file that last changed the row, linked."""
        return link(fact.file_last) if looker(fact).sees_file(fact.file_last) else NOTHING

    @admin.display(description=_("original row"))
    def original_row(self, fact: Any) -> SafeString | str:
        """Every cell of the row as it stood in the file, under its header."""
        return pairs_table(
            (name, NOTHING if cell is None else cell)
            for name, cell in original_row(fact.header_set.names, fact.raw).items()
        )

    @admin.display(description=_("files"))
    def lineage(self, fact: Any) -> SafeString | str:
        """Every file and decision that the row comes from, linked."""
        headers = (_("what it did"), _("file"), _("row"), _("collected"))
        return grid(headers, _lineage_rows(lineage_of(fact, sight=looker(fact))))


def _lineage_rows(lineage: Lineage) -> Iterator[tuple[object, ...]]:
    for word, origin in ((_("brought the row"), lineage.first), (_("wrote it last"), lineage.last)):
        collected = (origin.file and origin.file.collected_at) or NOTHING
        row = origin.sheet_row or NOTHING
        if origin.content_changed:
            row = _("%(row)s, of content that the file had before") % {"row": row}
        yield word, link(origin.file), row, collected
    if released := lineage.released_from:
        yield _("released from quarantine"), link(released), released.sheet_row, released.decided_at or NOTHING
    for one in lineage.confirmed_by:
        yield _("repeated it unchanged"), link(one.file), NOTHING, one.collected_at


@admin.register(OrderLine)
class OrderLineAdmin(FactAdmin):
    key_fields = ("order_id", "line_ordinal", "sku")
    value_fields = ("product_name", "order_status", "ordered_at", "quantity", "order_amount")
    search_fields = ("order_id__exact", "sku__exact", "product_id__exact", "tracking_number__exact")
    indexed_search = "order_id"


@admin.register(ProductMetric)
class ProductMetricAdmin(FactAdmin):
    key_fields = ("product_id", "variant_id")
    value_fields = ("product_name", "sales_amount", "units_sold", "order_count", "visitors", "conversion_rate")
    search_fields = ("product_id__exact", "variant_id__exact", "sku__exact")


@admin.register(TrafficMetric)
class TrafficMetricAdmin(FactAdmin):
    key_fields = ("metric_date", "metric_hour")
    value_fields = ("page_views", "visitors", "order_count", "sales_amount", "conversion_rate")


@admin.register(ServiceMetric)
class ServiceMetricAdmin(FactAdmin):
    key_fields = ("metric_date", "agent_id", "sub_domain")
    value_fields = ("agent_name", "visitors", "chats_answered", "order_count", "sales_amount", "response_rate")
    search_fields = ("agent_id__exact", "agent_name__exact")


@admin.register(InventorySnapshot)
class InventorySnapshotAdmin(FactAdmin):
    key_fields = ("sku", "warehouse", "snapshot_date")
    value_fields = ("product_name", "stock_total", "stock_available", "sales_30_days", "unit_cost")
    search_fields = ("sku__exact", "product_id__exact")


@admin.register(FinanceEntry)
class FinanceEntryAdmin(FactAdmin):
    key_fields = ("settlement_id", "line_ordinal", "entry_type")
    value_fields = ("amount_type", "order_id", "amount", "fee", "posted_at")
    search_fields = ("settlement_id__exact", "order_id__exact", "transaction_id__exact")
