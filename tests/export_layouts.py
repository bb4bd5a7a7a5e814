"""Layouts of exports, the template of each, and real files of their sheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from tests.hostile import parts, write_package
from tests.model_of_rows import Cell, Export, Field, Layout, Row

_ORDER = (
    Field("Order No", "order_id", "id", required=True, shared=True),
    Field("Status", "order_status", shared=True),
    Field("Buyer", "buyer_name", shared=True),
    Field("Created", "ordered_at", "time", required=True, shared=True),
    Field("Seller SKU", "sku", "id"),
    Field("Units", "quantity", "count"),
    Field("Unit Price", "unit_price", "amount"),
    Field("Order Total", "order_amount", "amount", of_order=True),
    Field("Order Profit", "profit", "amount", of_order=True),
    Field("Remark", None),
)
LAYOUTS = {
    "merged": Layout("orders", "daily", _ORDER, ("order_id", "sku"), formats=("%d/%m/%Y %H:%M",), ordinal=True),
    "flat": Layout(
        "orders", "weekly", _ORDER, ("order_id", "sku"), comma=True, ordinal=True, totals_on_every_line=True
    ),
    "products": Layout(
        "products",
        "monthly",
        (
            Field("Product Number", "product_id", "id", required=True),
            Field("Variant Number", "variant_id", "id"),
            Field("Product Title", "product_name"),
            Field("Paid Sales", "sales_amount", "amount"),
            Field("Unique Visitors", "visitors", "count"),
            Field("Conversion", "conversion_rate", "share"),
            Field("Remark", None),
        ),
        ("product_id", "variant_id", "period_start"),
    ),
    "analytics": Layout(
        "analytics",
        "daily",
        (
            Field("Day", "metric_date", "day", required=True),
            Field("Unique Visitors", "visitors", "count"),
            Field("Paid Sales", "sales_amount", "amount"),
            Field("Bounces", "bounce_rate", "share"),
            Field("Remark", None),
        ),
        ("metric_date",),
        formats=("%d/%m/%Y",),
    ),
    "inventory": Layout(
        "inventory",
        "snapshot",
        (
            Field("Seller SKU", "sku", "id", required=True),
            Field("Warehouse", "warehouse"),
            Field("Available", "stock_available", "count"),
            Field("Unit Cost", "unit_cost", "amount"),
            Field("Remark", None),
        ),
        ("sku", "warehouse", "snapshot_date"),
        comma=True,
    ),
    "finance": Layout(
        "finance",
        "weekly",
        (
            Field("Settlement", "settlement_id", "id", required=True),
            Field("Entry", "entry_type"),
            Field("Order No", "order_id", "id"),
            Field("Amount", "amount", "amount"),
            Field("Posted", "posted_at", "time"),
            Field("Remark", None),
        ),
        ("settlement_id", "entry_type", "order_id"),
        ordinal=True,
    ),
    "several shops": Layout(
        "orders",
        "monthly",
        (*_ORDER[:1], Field("Store", "shop_label", shared=True), *_ORDER[1:]),
        ("order_id", "sku"),
        formats=("%d/%m/%Y %H:%M",),
        ordinal=True,
    ),
    "hours": Layout(
        "analytics",
        "hourly",
        (
            Field("Day", "metric_date", "day", required=True),
            Field("Hour", "metric_hour", "hour", required=True),
            Field("Unique Visitors", "visitors", "count"),
            Field("Paid Sales", "sales_amount", "amount"),
            Field("Remark", None),
        ),
        ("metric_date", "metric_hour"),
        formats=("%d/%m/%Y",),
    ),
    "agents": Layout(
        "services",
        "monthly",
        (
            Field("Agent", "agent_id", "id"),
            Field("Nickname", "agent_name"),
            Field("Sessions Assigned", "sessions_assigned", "count"),
            Field("Sales", "sales_amount", "amount"),
            Field("Satisfaction", "satisfaction_rate", "share"),
            Field("Remark", None),
        ),
        ("agent_id", "period_start"),
        sub_domain="agent",
    ),
}
_KINDS = {"id": "identifier", "time": "datetime", "day": "date"}


def template_text(layout: Layout, platform: str) -> str:
    """The data file of the layout's template."""
    columns = []
    for told in layout.fields:
        parts = [f'header = "{told.header}"']
        parts += [f'field = "{told.name}"'] if told.name else []
        parts += [f'format = "{"|".join(layout.formats) or "auto"}"'] if told.kind in ("time", "day") else []
        parts += ["required = true"] if told.required else []
        columns.append(f"  {{ {', '.join(parts)} }},")
    lines = [
        "[family]",
        f'platform = "{platform}"',
        f'domain = "{layout.domain}"',
        *([f'sub_domain = "{layout.sub_domain}"'] if layout.sub_domain else []),
        f'granularity = "{layout.granularity}"',
        "",
        "[[variants]]",
        f'number_format = "{"comma" if layout.comma else "dot"}"',
        f"ordinal = {str(layout.ordinal).lower()}",
        f"totals_on_every_line = {str(layout.totals_on_every_line).lower()}",
        f"identity = [{', '.join(f'{name!r}' for name in layout.identity)}]".replace("'", '"'),
        "columns = [",
        *columns,
        "]",
    ]
    return "\n".join(lines) + "\n"


def write(export: Export, layout: Layout, path: Path) -> None:
    """The export as a file: a workbook or, by the name, comma-separated text, in which no cell is a number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = [told.header for told in layout.fields]
    if path.suffix == ".xlsx":
        write_package(path, parts(_sheet_xml(header, export.rows)))
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    for row in export.rows:
        writer.writerow([""] * len(header) if row is None else [cell.text for cell in row])
    path.write_text(text.getvalue(), encoding="utf-8")


def as_written(rows: Sequence[Row | None], layout: Layout, suffix: str) -> tuple[Row | None, ...]:
    """The rows as such a file holds them: numbers of a text file are texts in the format of the template."""
    if suffix == "xlsx":
        return tuple(rows)

    def text(cell: Cell) -> Cell:
        return Cell(cell.text.replace(".", ",") if layout.comma else cell.text) if cell.number else cell

    return tuple(row and tuple(text(cell) for cell in row) for row in rows)


def _sheet_xml(header: Sequence[str], rows: Iterable[Row | None]) -> str:
    lines = [[Cell(name) for name in header], *rows]
    return "".join(_row_xml(number, row) for number, row in enumerate(lines, 1) if row is not None)


def _row_xml(number: int, row: Sequence[Cell]) -> str:
    cells = []
    for column, cell in enumerate(row):
        place = f'r="{chr(65 + column)}{number}"'
        if cell.number:
            cells.append(f"<c {place}><v>{cell.text}</v></c>")
        elif cell.text:
            cells.append(f'<c {place} t="str"><v>{escape(cell.text)}</v></c>')
    return f'<row r="{number}">{"".join(cells)}</row>'
