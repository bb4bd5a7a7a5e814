"""The standard fields: what a clean row of each domain consists of.

Plain data, no Django: readers, templates, models, the quality gate and the documentation all speak these names.
Each field is a typed column of the domain's fact table; ``tests/test_fields.py`` holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the text of a cell becomes a value."""

    TEXT = "text"
    IDENTIFIER = "identifier"
    INTEGER = "integer"
    DECIMAL = "decimal"
    PERCENT = "percent"
    DATE = "date"
    DATETIME = "datetime"
    PERIOD = "period"
    HOUR = "hour"
    DURATION = "duration"
    CURRENCY = "currency"


class Domain(StrEnum):
    """What a row is."""

    ORDERS = "orders"
    PRODUCTS = "products"
    ANALYTICS = "analytics"
    SERVICES = "services"
    INVENTORY = "inventory"
    FINANCE = "finance"


@dataclass(frozen=True, slots=True)
class Field:
    """One standard field.

    ``fill_down``: a blank below a filled cell of the same order means "the same".
    ``order_level``: the amount belongs to the whole order, so it stands on the order's first line only, and a blank
    incoming value never erases a known one.
    ``identity``: may be part of the row's identity in this domain.
    """

    name: str
    kind: Kind
    fill_down: bool = False
    order_level: bool = False
    identity: bool = False

    @property
    def is_money(self) -> bool:
        """Whether its values are amounts in a currency."""
        return self.kind is Kind.DECIMAL and self.name not in _NO_MONEY


_NO_MONEY = frozenset(
    {
        "rating",
        "repeat_purchase_days",
        "pages_per_visit",
        "average_visitors",
        "average_customers",
        "average_visitors_served",
    }
)


def _fields(kind: Kind, names: str, **flags: bool) -> tuple[Field, ...]:
    return tuple(Field(name, kind, **flags) for name in names.split())


_ORDERS = (
    *_fields(Kind.IDENTIFIER, "order_id", fill_down=True, identity=True),
    *_fields(Kind.IDENTIFIER, "line_id sku platform_sku_id product_id", identity=True),
    *_fields(Kind.IDENTIFIER, "erp_sku package_id tracking_number"),
    *_fields(Kind.TEXT, "product_name variation"),
    *_fields(Kind.TEXT, "order_status after_sale_status site shop_label buyer_name", fill_down=True),
    *_fields(Kind.TEXT, "warehouse"),
    *_fields(Kind.DATETIME, "ordered_at paid_at shipped_at", fill_down=True),
    *_fields(Kind.DATETIME, "settled_at completed_at cancelled_at"),
    *_fields(Kind.INTEGER, "quantity"),
    *_fields(
        Kind.DECIMAL,
        "original_price unit_price line_amount line_seller_discount line_platform_discount line_tax purchase_cost",
    ),
    *_fields(
        Kind.DECIMAL,
        "order_amount order_amount_cny buyer_paid buyer_paid_cny settled_amount settled_amount_cny expected_payout "
        "expected_payout_cny profit profit_cny total_income total_fees platform_commission transaction_fee service_fee "
        "affiliate_commission seller_discount platform_discount buyer_shipping_fee seller_shipping_fee tax "
        "refund_amount ad_cost",
        order_level=True,
    ),
    *_fields(Kind.PERCENT, "cost_margin sales_margin"),
)

_PRODUCTS = (
    *_fields(Kind.IDENTIFIER, "product_id variant_id", identity=True),
    *_fields(Kind.IDENTIFIER, "sku global_sku"),
    *_fields(Kind.DATE, "metric_date"),
    *_fields(Kind.TEXT, "product_name variant_name product_status variant_status"),
    *_fields(
        Kind.DECIMAL,
        "sales_amount sales_amount_placed sales_amount_paid sales_amount_cny live_sales_amount video_sales_amount "
        "mall_sales_amount card_sales_amount rating repeat_purchase_days",
    ),
    *_fields(
        Kind.INTEGER,
        "page_views visitors bounce_visitors likes search_clicks cart_visitors cart_units buyers_placed units_placed "
        "buyers_paid units_paid units_sold order_count impressions clicks",
    ),
    *_fields(
        Kind.PERCENT,
        "bounce_rate cart_rate conversion_placed conversion_paid conversion_rate click_rate repeat_purchase_rate",
    ),
)

_ANALYTICS = (
    *_fields(Kind.DATE, "metric_date", identity=True),
    *_fields(Kind.HOUR, "metric_hour", identity=True),
    *_fields(
        Kind.INTEGER,
        "page_views visitors returning_visitors new_followers order_count sku_order_count customers units_sold "
        "units_refunded impressions unique_impressions clicks unique_clicks store_page_views",
    ),
    *_fields(
        Kind.DECIMAL,
        "sales_amount settled_amount refund_amount average_order_value pages_per_visit average_visitors "
        "average_customers",
    ),
    *_fields(Kind.PERCENT, "conversion_rate bounce_rate click_rate"),
)

_SERVICES = (
    *_fields(Kind.PERIOD, "period", identity=True),
    *_fields(Kind.DATE, "metric_date", identity=True),
    *_fields(Kind.IDENTIFIER, "agent_id", identity=True),
    *_fields(Kind.TEXT, "agent_name"),
    *_fields(
        Kind.INTEGER,
        "visitors chat_enquiries visitor_enquiries chats_answered chats_unanswered buyers order_count units_sold "
        "sessions_assigned sessions_unanswered sessions_late positive_reviews negative_reviews visitors_served "
        "questions_answered handed_over",
    ),
    *_fields(Kind.DECIMAL, "sales_amount average_visitors_served"),
    *_fields(
        Kind.PERCENT,
        "enquiry_rate conversion_to_answer conversion_to_order satisfaction_rate response_rate answer_rate",
    ),
    *_fields(Kind.DURATION, "first_response_seconds average_response_seconds"),
)

_INVENTORY = (
    *_fields(Kind.IDENTIFIER, "sku product_id", identity=True),
    *_fields(Kind.TEXT, "warehouse", identity=True),
    *_fields(Kind.DATE, "snapshot_date", identity=True),
    *_fields(Kind.TEXT, "product_name variation product_group location"),
    *_fields(Kind.DECIMAL, "unit_cost total_cost"),
    *_fields(
        Kind.INTEGER,
        "stock_total stock_available stock_reserved stock_in_transit stock_safety stock_planned sales_7_days "
        "sales_30_days sales_60_days sales_90_days",
    ),
    *_fields(Kind.DATETIME, "source_created_at source_updated_at"),
)

_FINANCE = (
    *_fields(Kind.IDENTIFIER, "settlement_id transaction_id", identity=True),
    *_fields(Kind.TEXT, "entry_type amount_type amount_description", identity=True),
    *_fields(Kind.IDENTIFIER, "order_id sku", identity=True),
    *_fields(Kind.DECIMAL, "amount fee"),
    *_fields(Kind.INTEGER, "quantity"),
    *_fields(Kind.DATETIME, "posted_at"),
    *_fields(Kind.TEXT, "description"),
)


def _currency(domain: Domain) -> Field:
    return Field("currency", Kind.CURRENCY, fill_down=domain is Domain.ORDERS)


FIELDS: dict[Domain, dict[str, Field]] = {
    domain: {field.name: field for field in (*fields, _currency(domain))}
    for domain, fields in (
        (Domain.ORDERS, _ORDERS),
        (Domain.PRODUCTS, _PRODUCTS),
        (Domain.ANALYTICS, _ANALYTICS),
        (Domain.SERVICES, _SERVICES),
        (Domain.INVENTORY, _INVENTORY),
        (Domain.FINANCE, _FINANCE),
    )
}
"""Standard fields by domain, in column order. ``period`` is not a column of its own: it sets ``period_start`` and
``period_end``, which every fact has."""

CORE_FIELDS: dict[Domain, tuple[str, ...]] = {
    Domain.ORDERS: ("order_id", "ordered_at", "order_amount_cny", "order_status", "platform", "shop"),
    Domain.PRODUCTS: (
        "visitors",
        "order_count",
        "rating",
        "period_start",
        "domain",
        "units_sold",
        "sales_amount_cny",
        "conversion_rate",
    ),
    Domain.INVENTORY: ("stock_available", "sales_30_days", "sku"),
}
"""The 17 fields the quality gate asks for."""

CORE_ALTERNATIVES: dict[Domain, dict[str, tuple[str, ...]]] = {
    Domain.PRODUCTS: {
        "units_sold": ("units_paid",),
        "sales_amount": ("sales_amount_paid",),
        "conversion_rate": ("conversion_paid",),
    },
}
"""Where a marketplace has a core field, or what is added up, under a narrower name: Shopee counts sales by paid orders
only. Only what means the same stands here: a placed order is not sold yet, and buyers are not orders."""
