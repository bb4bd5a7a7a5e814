"""The facts: clean, typed, de-duplicated rows, a table for each domain.

The columns are the standard fields of ``datasync.fields``. ``record_key`` is the row's identity, a 128-bit hash of
platform, shop, domain, sub-domain, granularity and identity fields; it is the primary key, so that one narrow index
serves identity, look-up and foreign keys alike. A fact's references carry no database constraint: each one costs a
check per row at load, and the loader alone writes facts, in the transaction that holds what they refer to.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasync.choices import Granularity, SubDomain

PARKED = "ffffffffffffffff"
"""How the key of a row begins that has given its key to another row and waits for its own, in the midst of a remap."""
FIRST_PARKED = UUID(PARKED.ljust(32, "0"))


def _text() -> models.TextField[str | None, str | None]:
    return models.TextField(null=True, blank=True)


def _integer() -> models.BigIntegerField[int | None, int | None]:
    return models.BigIntegerField(null=True, blank=True)


def _amount() -> models.DecimalField[Any, Any]:
    return models.DecimalField(null=True, blank=True, max_digits=20, decimal_places=4)


def _ratio() -> models.DecimalField[Any, Any]:
    """A share of one: 12.5 % is 0.125."""
    return models.DecimalField(null=True, blank=True, max_digits=14, decimal_places=6)


def _seconds() -> models.DecimalField[Any, Any]:
    return models.DecimalField(null=True, blank=True, max_digits=14, decimal_places=3)


def _moment() -> models.DateTimeField[Any, Any]:
    return models.DateTimeField(null=True, blank=True)


def _day() -> models.DateField[Any, Any]:
    return models.DateField(null=True, blank=True)


_Shown = TypeVar("_Shown", bound=models.Model)


class ShownFacts(models.Manager[_Shown]):
    """The facts as readers see them: without parked rows. ``QuerySet(model)`` has all, for who writes them."""

    def get_queryset(self) -> models.QuerySet[_Shown]:
        """All but the parked."""
        return super().get_queryset().filter(record_key__lt=FIRST_PARKED)


class Fact(models.Model):
    """What every fact has.

    ``raw`` is the original row, a JSON array in the order of ``header_set``; ``context`` is what the row had from the
    rows around it (``ingest.prepare.context``), so that the two can be typed again without the file. ``sheet_row`` is
    its row in ``file_last``, ``first_sheet_row`` that in ``file_first``, both as the spreadsheet shows them.
    """

    record_key = models.UUIDField(primary_key=True, editable=False)
    content_hash = models.UUIDField(editable=False)
    platform = models.ForeignKey(
        "datasync.Platform", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    shop = models.ForeignKey(
        "datasync.Shop", null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    sub_domain = models.CharField(_("sub-domain"), max_length=16, choices=SubDomain, blank=True)
    granularity = models.CharField(_("granularity"), max_length=16, choices=Granularity)
    period_start = models.DateField(_("period from"), null=True)
    period_end = models.DateField(_("period to"), null=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    collected_at = models.DateTimeField(_("collected"))
    file_first = models.ForeignKey(
        "datasync.CatalogFile", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    file_last = models.ForeignKey(
        "datasync.CatalogFile", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    sheet_row = models.PositiveIntegerField(_("row in the last file"))
    first_sheet_row = models.PositiveIntegerField(_("row in the first file"), null=True)
    header_set = models.ForeignKey(
        "datasync.HeaderSet", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("updated"))
    raw = models.TextField(_("original row"))
    context = models.TextField(null=True, editable=False)
    objects = ShownFacts()

    class Meta:
        abstract = True
        indexes: ClassVar[tuple[models.Index, ...]] = (
            models.Index(fields=("file_last", "sheet_row"), name="%(class)s_of_file"),
            models.Index(fields=("period_start", "record_key"), name="%(class)s_period"),
        )

    def __str__(self) -> str:
        return str(self.record_key)


class OrderLine(Fact):
    """An order line."""

    line_ordinal = models.PositiveIntegerField(default=1)
    order_id = _text()
    line_id = _text()
    sku = _text()
    platform_sku_id = _text()
    product_id = _text()
    erp_sku = _text()
    package_id = _text()
    tracking_number = _text()
    product_name = _text()
    variation = _text()
    order_status = _text()
    after_sale_status = _text()
    site = _text()
    shop_label = _text()
    buyer_name = _text()
    warehouse = _text()
    ordered_at = _moment()
    paid_at = _moment()
    shipped_at = _moment()
    settled_at = _moment()
    completed_at = _moment()
    cancelled_at = _moment()
    quantity = _integer()
    original_price = _amount()
    unit_price = _amount()
    line_amount = _amount()
    line_seller_discount = _amount()
    line_platform_discount = _amount()
    line_tax = _amount()
    purchase_cost = _amount()
    order_amount = _amount()
    order_amount_cny = _amount()
    buyer_paid = _amount()
    buyer_paid_cny = _amount()
    settled_amount = _amount()
    settled_amount_cny = _amount()
    expected_payout = _amount()
    expected_payout_cny = _amount()
    profit = _amount()
    profit_cny = _amount()
    total_income = _amount()
    total_fees = _amount()
    platform_commission = _amount()
    transaction_fee = _amount()
    service_fee = _amount()
    affiliate_commission = _amount()
    seller_discount = _amount()
    platform_discount = _amount()
    buyer_shipping_fee = _amount()
    seller_shipping_fee = _amount()
    tax = _amount()
    refund_amount = _amount()
    ad_cost = _amount()
    cost_margin = _ratio()
    sales_margin = _ratio()

    class Meta(Fact.Meta):
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        indexes = (*Fact.Meta.indexes, models.Index(fields=("order_id",), name="orderline_order"))


class ProductMetric(Fact):
    """A product, or one of its variants, in a period."""

    product_id = _text()
    variant_id = _text()
    sku = _text()
    global_sku = _text()
    metric_date = _day()
    product_name = _text()
    variant_name = _text()
    product_status = _text()
    variant_status = _text()
    sales_amount = _amount()
    sales_amount_placed = _amount()
    sales_amount_paid = _amount()
    sales_amount_cny = _amount()
    live_sales_amount = _amount()
    video_sales_amount = _amount()
    mall_sales_amount = _amount()
    card_sales_amount = _amount()
    rating = _amount()
    repeat_purchase_days = _amount()
    page_views = _integer()
    visitors = _integer()
    bounce_visitors = _integer()
    likes = _integer()
    search_clicks = _integer()
    cart_visitors = _integer()
    cart_units = _integer()
    buyers_placed = _integer()
    units_placed = _integer()
    buyers_paid = _integer()
    units_paid = _integer()
    units_sold = _integer()
    order_count = _integer()
    impressions = _integer()
    clicks = _integer()
    bounce_rate = _ratio()
    cart_rate = _ratio()
    conversion_placed = _ratio()
    conversion_paid = _ratio()
    conversion_rate = _ratio()
    click_rate = _ratio()
    repeat_purchase_rate = _ratio()

    class Meta(Fact.Meta):
        verbose_name = _("product metric")
        verbose_name_plural = _("product metrics")


class TrafficMetric(Fact):
    """A shop in an hour, a day or a period."""

    metric_date = _day()
    metric_hour = models.PositiveSmallIntegerField(null=True, blank=True)
    page_views = _integer()
    visitors = _integer()
    returning_visitors = _integer()
    new_followers = _integer()
    order_count = _integer()
    sku_order_count = _integer()
    customers = _integer()
    units_sold = _integer()
    units_refunded = _integer()
    impressions = _integer()
    unique_impressions = _integer()
    clicks = _integer()
    unique_clicks = _integer()
    store_page_views = _integer()
    sales_amount = _amount()
    settled_amount = _amount()
    refund_amount = _amount()
    average_order_value = _amount()
    pages_per_visit = _amount()
    average_visitors = _amount()
    average_customers = _amount()
    conversion_rate = _ratio()
    bounce_rate = _ratio()
    click_rate = _ratio()

    class Meta(Fact.Meta):
        verbose_name = _("traffic metric")
        verbose_name_plural = _("traffic metrics")


class ServiceMetric(Fact):
    """A shop or one of its agents in a period."""

    metric_date = _day()
    agent_id = _text()
    agent_name = _text()
    visitors = _integer()
    chat_enquiries = _integer()
    visitor_enquiries = _integer()
    chats_answered = _integer()
    chats_unanswered = _integer()
    buyers = _integer()
    order_count = _integer()
    units_sold = _integer()
    sessions_assigned = _integer()
    sessions_unanswered = _integer()
    sessions_late = _integer()
    positive_reviews = _integer()
    negative_reviews = _integer()
    visitors_served = _integer()
    questions_answered = _integer()
    handed_over = _integer()
    sales_amount = _amount()
    average_visitors_served = _amount()
    enquiry_rate = _ratio()
    conversion_to_answer = _ratio()
    conversion_to_order = _ratio()
    satisfaction_rate = _ratio()
    response_rate = _ratio()
    answer_rate = _ratio()
    first_response_seconds = _seconds()
    average_response_seconds = _seconds()

    class Meta(Fact.Meta):
        verbose_name = _("service metric")
        verbose_name_plural = _("service metrics")


class InventorySnapshot(Fact):
    """A SKU in a warehouse at a moment."""

    sku = _text()
    product_id = _text()
    warehouse = _text()
    snapshot_date = _day()
    product_name = _text()
    variation = _text()
    product_group = _text()
    location = _text()
    unit_cost = _amount()
    total_cost = _amount()
    stock_total = _integer()
    stock_available = _integer()
    stock_reserved = _integer()
    stock_in_transit = _integer()
    stock_safety = _integer()
    stock_planned = _integer()
    sales_7_days = _integer()
    sales_30_days = _integer()
    sales_60_days = _integer()
    sales_90_days = _integer()
    source_created_at = _moment()
    source_updated_at = _moment()

    class Meta(Fact.Meta):
        verbose_name = _("inventory snapshot")
        verbose_name_plural = _("inventory snapshots")


class FinanceEntry(Fact):
    """An entry of a settlement."""

    line_ordinal = models.PositiveIntegerField(default=1)
    settlement_id = _text()
    transaction_id = _text()
    entry_type = _text()
    amount_type = _text()
    amount_description = _text()
    order_id = _text()
    sku = _text()
    amount = _amount()
    fee = _amount()
    quantity = _integer()
    posted_at = _moment()
    description = _text()

    class Meta(Fact.Meta):
        verbose_name = _("finance entry")
        verbose_name_plural = _("finance entries")


FACT_MODELS: dict[str, type[Fact]] = {
    "orders": OrderLine,
    "products": ProductMetric,
    "analytics": TrafficMetric,
    "services": ServiceMetric,
    "inventory": InventorySnapshot,
    "finance": FinanceEntry,
}
"""The fact table of each domain."""
