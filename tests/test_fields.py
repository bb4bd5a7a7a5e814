"""The vocabulary and the tables say the same: each standard field is a typed column of its domain's fact table."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models

from datasync.fields import CORE_ALTERNATIVES, CORE_FIELDS, FIELDS, Domain, Kind
from datasync.models import FACT_MODELS, Fact

COLUMN_OF_KIND: dict[Kind, type[models.Field[Any, Any]]] = {
    Kind.TEXT: models.TextField,
    Kind.IDENTIFIER: models.TextField,
    Kind.INTEGER: models.BigIntegerField,
    Kind.DECIMAL: models.DecimalField,
    Kind.PERCENT: models.DecimalField,
    Kind.DURATION: models.DecimalField,
    Kind.DATE: models.DateField,
    Kind.DATETIME: models.DateTimeField,
    Kind.HOUR: models.PositiveSmallIntegerField,
    Kind.CURRENCY: models.CharField,
}
OF_THE_LOADER = {"line_ordinal"}


def own_columns(model: type[Fact]) -> dict[str, models.Field[Any, Any]]:
    shared = {field.name for field in Fact._meta.get_fields()}
    return {field.name: field for field in model._meta.concrete_fields if field.name not in shared - {"currency"}}


@pytest.mark.parametrize("domain", list(Domain))
def test_each_field_is_a_column_of_its_kind(domain: Domain) -> None:
    columns = own_columns(FACT_MODELS[domain])
    fields = {name: field for name, field in FIELDS[domain].items() if field.kind is not Kind.PERIOD}
    assert columns.keys() - OF_THE_LOADER == fields.keys()
    for name, field in fields.items():
        assert type(columns[name]) is COLUMN_OF_KIND[field.kind], name


def test_the_core_fields_are_known() -> None:
    assert sum(len(names) for names in CORE_FIELDS.values()) == 17
    for domain, names in CORE_FIELDS.items():
        shared = {field.name for field in Fact._meta.get_fields()} | {"domain"}
        assert set(names) <= FIELDS[domain].keys() | shared
    for alternatives in CORE_ALTERNATIVES.values():
        assert alternatives
