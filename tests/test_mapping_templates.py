"""Templates are data files: each built-in one is valid, and a mistake is named with its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from datasync.exceptions import KeyColumnMissing
from datasync.fields import FIELDS, Domain, Kind
from datasync.mapping.match import Outcome, match
from datasync.mapping.template import InvalidTemplate, Template, check_template
from datasync.mapping.template_file import BUILTIN, builtin_templates, dump_template, load_templates, parse_templates

TEMPLATES = builtin_templates()
FAMILIES = {template.family.key for template in TEMPLATES}

VALID = """
[family]
platform = "shopee"
domain = "orders"
granularities = ["daily"]

[[variants]]
identity = ["order_id", "sku"]
ordinal = true
columns = [
  { header = "Order ID", field = "order_id", required = true },
  { header = "SKU", field = "sku" },
  { header = "Date", field = "ordered_at", required = true, format = "%Y-%m-%d" },
]
"""


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_a_builtin_template_matches_its_own_header_exactly(template: Template) -> None:
    found = match(template.header, [template])
    assert found.outcome is Outcome.EXACT
    assert found.binding == {column.position: column.position for column in template.columns}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_a_dumped_template_loads_as_the_same(template: Template) -> None:
    assert parse_templates(dump_template(template)) == (template,)


@pytest.mark.parametrize(
    "family",
    [
        "shopee/miaoshou/orders/daily",
        "tiktok/miaoshou/orders/daily",
        *(f"shopee/shopee/products/{every}" for every in ("daily", "weekly", "monthly")),
        *(f"tiktok/tiktok/products/{every}" for every in ("daily", "weekly", "monthly")),
        *(f"tiktok/tiktok/analytics/{every}" for every in ("daily", "weekly", "monthly")),
        *(f"shopee/shopee/analytics/{every}" for every in ("hourly", "daily", "weekly", "monthly")),
        *(f"shopee/shopee/services.agent/{every}" for every in ("daily", "weekly", "monthly")),
        "shopee/shopee/services.ai_assistant/daily",
        *(f"tiktok/tiktok/services.agent/{every}" for every in ("daily", "weekly", "monthly")),
        "miaoshou/miaoshou/inventory/snapshot",
        "shopee/shopee/orders/monthly",
        "tiktok/tiktok/orders/daily",
        "shopify/shopify/orders/daily",
        "amazon/amazon/finance/monthly",
    ],
)
def test_every_header_set_has_its_family(family: str) -> None:
    assert family in FAMILIES


def test_header_rows_are_those_of_the_field() -> None:
    rows = {(template.family.key, template.variant): template.header_row for template in TEMPLATES}
    assert rows["shopee/miaoshou/orders/daily", "default"] == 1
    assert rows["tiktok/tiktok/analytics/daily", "default"] == 7
    assert rows["tiktok/tiktok/analytics/monthly", "period"] == 8
    assert rows["tiktok/tiktok/analytics/monthly", "older"] == 2
    assert rows["shopee/shopee/analytics/weekly", "default"] == 3
    assert rows["tiktok/tiktok/services.agent/daily", "default"] == 2


def test_profit_in_two_currencies_stays_two_columns() -> None:
    template = next(t for t in TEMPLATES if t.family.key == "shopee/miaoshou/orders/daily")
    assert template.fields["profit"].header == "利润"
    assert template.fields["profit_cny"].header == "利润(RMB)"


def test_kinds_and_formats_follow_from_the_fields() -> None:
    for template in TEMPLATES:
        for name, column in template.fields.items():
            assert column.kind is FIELDS[template.family.domain][name].kind
            assert bool(column.format) is (column.kind in {Kind.DATE, Kind.DATETIME, Kind.PERIOD})


def test_the_fingerprint_tells_what_changes_values_and_nothing_else() -> None:
    template = parse_templates(VALID)[0]
    renumbered = replace(template, version=7, variant="other")
    aliased = replace(template, columns=tuple(replace(column, aliases=("x",)) for column in template.columns))
    assert template.fingerprint == renumbered.fingerprint == aliased.fingerprint
    assert replace(template, ordinal=False).fingerprint != template.fingerprint
    unmapped = (*template.columns[:2], replace(template.columns[2], format="%d/%m/%Y"))
    assert replace(template, columns=unmapped).fingerprint != template.fingerprint


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('field = "sku"', 'field = "skuu"', "column 1 ('SKU'): unknown field 'skuu' of orders"),
        ('field = "sku"', 'field = "sku", kind = "decimal"', "column 1 ('SKU'): kind decimal instead of identifier"),
        ('field = "sku"', 'field = "order_id"', "column 1 ('SKU'): field 'order_id' is already fed by column 0"),
        ('field = "sku"', 'feild = "sku"', "column 1: unknown feild"),
        ('field = "sku"', 'field = "sku", aliases = ["Date"]', "alias 'Date' is a header of its own"),
        ('["order_id", "sku"]', '["order_id", "quantity"]', "'quantity' cannot identify a row of orders"),
        ('domain = "orders"', 'domain = "order"', "unknown domain 'order'"),
        ('["daily"]', '["snapshot"]', "granularity 'snapshot' does not go with orders"),
        ("ordinal = true", "header_row = -1", "header_row -1"),
        ("ordinal = true", 'header_row = "1"', "header_row must be int"),
        ("ordinal = true", 'number_format = "euro"', "unknown number_format 'euro'"),
        ("ordinal = true", 'based_on = "other"', "is based on 'other', which is not above it"),
        ("[[variants]]", "[[variant]]", "there is no [[variants]]"),
        ('header = "SKU", ', "", "column 1: it has no header"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(VALID.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidTemplate) as caught:
        load_templates(path)
    assert "mine.toml" in caught.value.message
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{ header = "SKU", field = "sku" }', '{ header = "SKU" }'),
        ('{ header = "Order ID", field = "order_id", required = true }', '{ header = "Order ID" }'),
        ('["order_id", "sku"]', "[]"),
        ('["order_id", "sku"]', '["period_start"]'),
    ],
)
def test_an_identity_without_a_column_is_refused(old: str, new: str) -> None:
    with pytest.raises(KeyColumnMissing):
        parse_templates(VALID.replace(old, new, 1))


def test_a_template_read_from_elsewhere_is_checked_too() -> None:
    template = parse_templates(VALID)[0]
    with pytest.raises(InvalidTemplate, match="position"):
        check_template(replace(template, columns=template.columns[::-1]))


def test_all_data_files_are_used() -> None:
    assert {path.suffix for path in BUILTIN.iterdir()} == {".toml"}
    assert {template.family.domain for template in TEMPLATES} == set(Domain)
