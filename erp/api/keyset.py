"""Reading a list on from a row: by the values of its ordering, not by an offset, so that every page costs the same.

What comes after a row is read in segments, each a plain range of one index: with the ordering ``(day, id)`` first the
rows of the same day with a greater id, then those of later days, then those without a day. NULL comes last in ascending
order and first in descending order, on every database.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, ForeignKey, Model, Q, QuerySet
from django.db.models.expressions import OrderBy

_LONGEST_CURSOR = 2000


class InvalidCursor(ValueError):
    """The cursor was not given by this list, or by another ordering of it."""


@dataclass(frozen=True, slots=True)
class Key:
    """One column of an ordering."""

    field: Field[Any, Any]
    descending: bool

    @property
    def name(self) -> str:
        """The column as lookups and rows name it."""
        return self.field.attname

    @property
    def order(self) -> OrderBy:
        """How the database is asked for it; NULLs never meet other values in one segment."""
        return F(self.name).desc() if self.descending else F(self.name).asc()

    def after(self, value: Any) -> Iterator[Q]:
        """What follows the value, in order, without those equal to it."""
        beyond = Q(**{f"{self.name}__{'lt' if self.descending else 'gt'}": value})
        null = Q(**{f"{self.name}__isnull": True})
        if value is None:
            if self.descending:
                yield ~null
            return
        yield beyond
        if self.field.null and not self.descending:
            yield null

    def equal(self, value: Any) -> Q:
        """The rows with this very value."""
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})

    def everything(self) -> Iterator[Q]:
        """All rows, in order."""
        if not self.field.null:
            yield Q()
            return
        null = Q(**{f"{self.name}__isnull": True})
        yield from (null, ~null) if self.descending else (~null, null)


@dataclass(frozen=True, slots=True)
class Keyset:
    """An ordering whose last column tells any two rows apart."""

    keys: tuple[Key, ...]

    @classmethod
    def of(cls, model: type[Model], ordering: Sequence[str]) -> Keyset:
        """From names as ``order_by`` takes them. Only the first column may be NULL."""
        return cls(tuple(_key(model, name) for name in ordering))

    @property
    def _signature(self) -> str:
        return ",".join(f"{'-' if key.descending else ''}{key.name}" for key in self.keys)

    def cursor(self, row: Any) -> str:
        """Where this row stands, as text for an address."""
        values = [_as_text(_value(row, key.name)) for key in self.keys]
        document = json.dumps([self._signature, *values], separators=(",", ":"))
        return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")

    def read(self, cursor: str) -> tuple[Any, ...]:
        """The values that a cursor holds. Raises ``InvalidCursor``."""
        try:
            if len(cursor) > _LONGEST_CURSOR:
                raise InvalidCursor
            padded = cursor + "=" * (-len(cursor) % 4)
            signature, *texts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            if signature != self._signature or len(texts) != len(self.keys):
                raise InvalidCursor
            return tuple(_parsed(key, text) for key, text in zip(self.keys, texts, strict=True))
        except (ValueError, TypeError, RecursionError, binascii.Error, ValidationError) as error:
            raise InvalidCursor from error

    def segments(self, rows: QuerySet[Any, Any], after: Sequence[Any] | None) -> Iterator[QuerySet[Any, Any]]:
        """The rows after these values, or all, as querysets to be read one after the other."""
        ordered = rows.order_by(*(key.order for key in self.keys))
        if after is None:
            for part in self.keys[0].everything():
                yield ordered.filter(part)
            return
        for depth in reversed(range(len(self.keys))):
            same = Q()
            for key, value in zip(self.keys[:depth], after, strict=False):
                same &= key.equal(value)
            for part in self.keys[depth].after(after[depth]):
                yield ordered.filter(same & part)

    def take(self, parts: Iterable[QuerySet[Any, Any]], *, after: Sequence[Any] | None, most: int) -> list[Any]:
        """The first ``most`` rows of these querysets after these values: a query for each segment that is entered."""
        found: list[Any] = []
        for segment in (segment for rows in parts for segment in self.segments(rows, after)):
            found += segment[: most - len(found)]
            if len(found) >= most:
                break
        return found


def _key(model: type[Model], name: str) -> Key:
    field = model._meta.get_field(name.removeprefix("-"))
    if not isinstance(field, Field):
        raise FieldDoesNotExist(name)
    return Key(field, name.startswith("-"))


def _value(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, Mapping) else getattr(row, name)


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else str(value)


def _parsed(key: Key, text: Any) -> Any:
    """A value of the column, or an error; nothing that a database would stumble over."""
    if text is None and key.field.null:
        return None
    if not isinstance(text, str) or "\0" in text:
        raise InvalidCursor
    text.encode()
    field = key.field.target_field if isinstance(key.field, ForeignKey) else key.field
    value = field.to_python(text)
    if value is None:
        raise InvalidCursor
    field.run_validators(value)
    return value
