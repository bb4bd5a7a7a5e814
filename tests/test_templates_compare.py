"""Comparing: what two versions say differently, and what a template would make of a file."""

from __future__ import annotations

import pytest

from datasync.exceptions import HeaderUnknown
from datasync.mapping.compare import compare_templates, compare_with_file
from datasync.mapping.versions import find_template
from tests.quarantine_rows import make_file
from tests.templates_support import draft

pytestmark = pytest.mark.django_db


def test_a_version_with_itself() -> None:
    row = find_template(draft().pk)
    told = compare_templates(row, row).as_dict()
    assert (told["verdict"], told["match_rate"], told["same_values"]) == ("synced", 1.0, True)
    assert not any(told["differences"].values())
    assert told["settings"] == told["columns"] == []


def test_headers_settings_and_columns_that_differ() -> None:
    before = find_template(draft("Order ID", "SKU", "Quantity").pk)
    after_row = draft("SKU", "Order Number", "Quantity", header_row=2, identity=("order_id",))
    after = find_template(after_row.pk)
    told = compare_templates(before, after).as_dict()
    assert told["same_values"] is False
    assert {"name": "header_row", "before": 0, "after": 2} in told["settings"]
    assert {"name": "identity", "before": ["order_id", "sku"], "after": ["order_id"]} in told["settings"]
    assert told["differences"]["missing_required"] == ["Order ID"]
    assert told["differences"]["added"] == ["Order Number"]
    assert told["verdict"] == "blocked"
    (column,) = [one for one in told["columns"] if one["header"] == "SKU"]
    assert {"name": "field", "before": "sku", "after": "order_id"} in column["changes"]


def test_another_export_is_unrelated_and_still_told_apart() -> None:
    before = find_template(draft().pk)
    after = find_template(draft("x", "y", "z", variant="other").pk)
    told = compare_templates(before, after).as_dict()
    assert (told["verdict"], told["differences"]["added"]) == ("unrelated", ["x", "y", "z"])


def test_with_a_file_values_are_judged_too() -> None:
    row = find_template(draft().pk)
    profile = [{"examples": ["A1"]}, {"examples": ["S1"]}, {"examples": ["one", "two", "three", "<script>"]}]
    file = make_file(header=["Order ID", "SKU", "Quantity", "Note"], profile=[*profile, {"examples": []}])
    told = compare_with_file(row, file).as_dict()
    assert (told["verdict"], told["differences"]["added"]) == ("blocked", ["Note"])
    (found,) = told["differences"]["contradictions"]
    assert (found["header"], found["examples"]) == ("Quantity", ["one", "two", "three"])
    assert "integer" in found["reason"] or "decimal" in found["reason"]
    assert told["same_values"] is None


def test_a_file_without_a_header_cannot_be_compared() -> None:
    with pytest.raises(HeaderUnknown):
        compare_with_file(find_template(draft().pk), make_file(header=[]))
