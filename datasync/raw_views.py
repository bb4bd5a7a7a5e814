"""The views ``<fact table>_raw``: each fact with its original row as a JSON object by header, for reporting tools.

A migration that changes a column of a fact table drops the views before it and creates them again after it, because no
database lets a view stand over a column that goes.
"""

from __future__ import annotations

from typing import Any

from datasync.fields import Domain

_MODELS = {
    Domain.ORDERS: "OrderLine",
    Domain.PRODUCTS: "ProductMetric",
    Domain.ANALYTICS: "TrafficMetric",
    Domain.SERVICES: "ServiceMetric",
    Domain.INVENTORY: "InventorySnapshot",
    Domain.FINANCE: "FinanceEntry",
}
_COLUMNS = (
    "record_key",
    "platform_id",
    "shop_id",
    "granularity",
    "period_start",
    "file_last_id",
    "sheet_row",
    "collected_at",
)

_FIRST_PARKED = "ffffffff-ffff-ffff-0000-000000000000"
"""Rows in the midst of a remap have keys from here on (``models.facts.FIRST_PARKED``); readers do not see them."""

RAW_OBJECT = {
    "postgresql": (
        "(SELECT coalesce(json_object_agg(coalesce(cell.name, 'column ' || cell.position), cell.value "
        "ORDER BY cell.position), '{{}}') "
        "FROM ROWS FROM (json_array_elements_text({raw}::json), jsonb_array_elements_text({names})) "
        "WITH ORDINALITY AS cell(value, name, position))"
    ),
    "sqlite": (
        "(SELECT json_group_object("
        "coalesce(json_extract({names}, '$[' || cell.key || ']'), 'column ' || (cell.key + 1)), "
        "json_extract({raw}, '$[' || cell.key || ']')) "
        "FROM json_each(CASE WHEN json_array_length({raw}) >= coalesce(json_array_length({names}), 0) "
        "THEN {raw} ELSE {names} END) AS cell)"
    ),
}
"""SQL of an original row as an object, of the columns ``raw`` and the ``names`` of its header set."""


def create_raw_views(apps: Any, schema_editor: Any) -> None:
    """Create the view of every fact table; an operation of a migration."""
    quote = schema_editor.quote_name
    vendor = schema_editor.connection.vendor
    headers = quote(apps.get_model("datasync", "HeaderSet")._meta.db_table)
    columns = ", ".join(f"fact.{name}" for name in _COLUMNS)
    raw = RAW_OBJECT[vendor].format(raw="fact.raw", names="header.names")
    first_parked = _FIRST_PARKED if vendor == "postgresql" else _FIRST_PARKED.replace("-", "")
    for table in _tables(apps):
        schema_editor.execute(
            f"CREATE VIEW {quote(f'{table}_raw')} AS SELECT {columns}, {raw} AS raw "  # noqa: S608 - our own names
            f"FROM {quote(table)} AS fact LEFT JOIN {headers} AS header ON header.id = fact.header_set_id "
            f"WHERE fact.record_key < '{first_parked}'",
            params=None,
        )


def drop_raw_views(apps: Any, schema_editor: Any) -> None:
    """Drop them again; an operation of a migration."""
    for table in _tables(apps):
        schema_editor.execute(f"DROP VIEW IF EXISTS {schema_editor.quote_name(f'{table}_raw')}", params=None)


def _tables(apps: Any) -> list[str]:
    return [apps.get_model("datasync", name)._meta.db_table for name in _MODELS.values()]
