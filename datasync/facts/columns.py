"""The columns of a fact as its readers know them: one list for JSON, CSV, the command and the documentation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import CharField, DateTimeField, DecimalField, Field, ForeignKey, Model, QuerySet, TextField
from django.utils.translation import gettext as _

from datasync.exceptions import DomainNotFound, InvalidRequest
from datasync.models import FACT_MODELS, Fact

RAW = "raw"
_HEAD = {
    "record_key": "record_key",
    "platform": "platform_id",
    "shop": "shop__shop_id",
    "shop_name": "shop__name",
    "sub_domain": "sub_domain",
    "granularity": "granularity",
    "period_start": "period_start",
    "period_end": "period_end",
    "currency": "currency",
}
_TAIL = {
    "collected_at": "collected_at",
    "file_first_id": "file_first_id",
    "first_sheet_row": "first_sheet_row",
    "file_last_id": "file_last_id",
    "sheet_row": "sheet_row",
    "created_at": "created_at",
    "updated_at": "updated_at",
}
_INNER = frozenset({"content_hash", "context", "raw", "platform", "shop", "file_first", "file_last", "header_set"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, where the value is looked up, and the model field that holds it."""

    name: str
    source: str
    field: Field[Any, Any]

    @property
    def is_text(self) -> bool:
        """Whether it holds what somebody wrote, and so perhaps a formula."""
        return isinstance(self.field, CharField | TextField)

    @property
    def is_moment(self) -> bool:
        """Whether it holds a point in time."""
        return isinstance(self.field, DateTimeField)

    @property
    def is_exact(self) -> bool:
        """Whether it holds amounts or shares, which JSON numbers would lose digits of."""
        return isinstance(self.field, DecimalField)


def model_of(domain: str) -> type[Fact]:
    """The fact table of a domain. Raises ``DomainNotFound``."""
    try:
        return FACT_MODELS[domain]
    except KeyError:
        raise DomainNotFound(what=domain) from None


@cache
def columns_of(domain: str) -> dict[str, Column]:
    """All columns of a domain by name: where the row belongs, what it says, where it comes from."""
    model = model_of(domain)
    own = [field.name for field in model._meta.concrete_fields if field.name not in {*_HEAD, *_TAIL, *_INNER}]
    sources = _HEAD | {name: name for name in own} | _TAIL
    return {name: Column(name, source, _field(model, source)) for name, source in sources.items()}


def _field(model: type[Model], source: str) -> Field[Any, Any]:
    relation, _sep, name = source.partition("__")
    field = next(found for found in model._meta.concrete_fields if relation in {found.name, found.attname})
    return _field(field.related_model, name) if name and isinstance(field, ForeignKey) else field


def all_facts(domain: str) -> QuerySet[Fact]:
    """Every row of a domain, but those in the midst of a remap. Raises ``DomainNotFound``."""
    rows: QuerySet[Fact] = model_of(domain)._default_manager.all()  # noqa: SLF001 - of whichever model
    return rows


def chosen_columns(domain: str, names: Iterable[str] = ()) -> tuple[Column, ...]:
    """The columns with these names in the order given; all where none is named. Raises ``InvalidRequest``."""
    known = columns_of(domain)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidRequest(detail=_("There is no such field: %(names)s.") % {"names": ", ".join(unknown)[:200]})
    return tuple(known[name] for name in dict.fromkeys(names)) or tuple(known.values())


def document(row: Mapping[str, Any], columns: Sequence[Column], *, raw: bool = False) -> dict[str, Any]:
    """A row of ``values()`` as JSON knows it; with ``raw`` also the original row by header."""
    told = {column.name: json_value(row[column.source]) for column in columns}
    if raw:
        told[RAW] = original_row(row["header_set__names"], row["raw"])
    return told


def document_of(fact: Fact, columns: Iterable[Column]) -> dict[str, Any]:
    """The same of an instance whose shop is read."""
    return {column.name: json_value(_attribute(fact, column.source)) for column in columns}


def _attribute(fact: Fact, source: str) -> Any:
    value: Any = fact
    for name in source.split("__"):
        value = None if value is None else getattr(value, name)
    return value


def original_row(names: Sequence[str], raw: str) -> dict[str, str | None]:
    """The cells of the original row by header, none lost: the views ``<fact>_raw`` give the same."""
    cells: list[str | None] = json.loads(raw)
    more = (f"column {position}" for position in range(len(names) + 1, len(cells) + 1))
    padded = [*cells, *[None] * (len(names) - len(cells))]
    return dict(zip((*names, *more), padded, strict=True))


def json_value(value: Any) -> Any:
    """A value in JSON: amounts and shares as text, because a JSON number would lose digits in most readers."""
    write = _WRITTEN.get(type(value))
    return write(value) if write else value


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


_WRITTEN: dict[type, Callable[[Any], str]] = {datetime: _moment, date: date.isoformat, Decimal: str, UUID: str}
