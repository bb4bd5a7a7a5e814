"""Facts as the API tells them: flat rows whose fields are the columns of the domain, and where one comes from."""

from __future__ import annotations

from typing import Any

from django.db.models import (
    BigIntegerField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    ForeignKey,
    IntegerField,
    UUIDField,
)
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from datasync.choices import FileState
from datasync.facts.columns import columns_of
from datasync.facts.lineage import Lineage
from datasync.models import FACT_MODELS

_TYPES: tuple[tuple[type[Field[Any, Any]], type[serializers.Field[Any, Any, Any, Any]]], ...] = (
    (DateTimeField, serializers.DateTimeField),
    (DateField, serializers.DateField),
    (UUIDField, serializers.UUIDField),
    (DecimalField, serializers.CharField),
    (IntegerField, serializers.IntegerField),
    (BigIntegerField, serializers.IntegerField),
    (ForeignKey, serializers.CharField),
)


def _documented(name: str, field: Field[Any, Any]) -> serializers.Field[Any, Any, Any, Any]:
    if name.endswith("_id") and isinstance(field, ForeignKey):
        return serializers.IntegerField(required=False)
    known = next((found for kind, found in _TYPES if isinstance(field, kind)), serializers.CharField)
    return known(allow_null=field.null or name in {"shop", "shop_name"}, required=False)


def _row_serializer(domain: str) -> type[serializers.Serializer[Any]]:
    """The fields of one domain, for the document; rows are made by ``facts.columns.document``."""
    told = {name: _documented(name, column.field) for name, column in columns_of(domain).items()}
    own: type[serializers.Serializer[Any]] = type(f"{FACT_MODELS[domain].__name__}Row", (serializers.Serializer,), told)
    return own


@extend_schema_field(
    PolymorphicProxySerializer(
        component_name="FactRow",
        serializers=[_row_serializer(domain) for domain in FACT_MODELS],
        resource_type_field_name=None,
    )
)
class FactRow(serializers.JSONField):
    """A row of a domain, with the columns asked for. Amounts and shares are text, so that no digit is lost."""


class OriginFile(serializers.Serializer[Any]):
    """A file that wrote the row; of one that is gone without a trace, the id alone is known."""

    id = serializers.IntegerField(source="file_id")
    name = serializers.CharField(source="file.original_name", allow_null=True, default=None)
    status = serializers.ChoiceField(FileState.choices, source="file.state", allow_null=True, default=None)
    collected_at = serializers.DateTimeField(source="file.collected_at", allow_null=True, default=None)
    sheet_row = serializers.IntegerField(
        allow_null=True,
        help_text="As the spreadsheet shows it. Null: not known; the file confirmed the row, another one wrote it.",
    )
    content_changed = serializers.BooleanField(
        help_text="The file has, or may have, other content now: the row number belongs to what it held before."
    )


class ReleasedFrom(serializers.Serializer[Any]):
    """The quarantined row that became this fact."""

    id = serializers.IntegerField()
    file_id = serializers.IntegerField()
    sheet_row = serializers.IntegerField()
    outcome = serializers.CharField()
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)
    decided_at = serializers.DateTimeField(allow_null=True)


class ConfirmedBy(serializers.Serializer[Any]):
    """A newer export that repeated the row unchanged."""

    file_id = serializers.IntegerField()
    name = serializers.CharField(source="file.original_name")
    collected_at = serializers.DateTimeField()


class FactLineage(serializers.Serializer[Lineage]):
    """Where the row comes from."""

    first = OriginFile()
    last = OriginFile()
    released_from = ReleasedFrom(allow_null=True)
    confirmed_by = ConfirmedBy(many=True)


class FactDetail(serializers.Serializer[Any]):
    """One fact, its original row by header, and its lineage."""

    fact = FactRow()
    raw = serializers.DictField(child=serializers.CharField(allow_null=True))
    lineage = FactLineage()
