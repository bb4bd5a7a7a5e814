"""Strict input: what is not asked for is refused, and a value of another type is not bent into shape."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import Choices
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

_SHOWN = 60
"""Characters of an unknown name that are repeated to the caller."""


def represented(serializer: type[serializers.BaseSerializer[Any]], instance: Any) -> Any:
    """What an answer shows of the instance, by a serializer without a context.

    Its fields are made once in a process: copying them for each answer takes longer than all else that it does.
    """
    return _shown_by(serializer).to_representation(instance)


def all_represented(serializer: type[serializers.BaseSerializer[Any]], instances: Iterable[Any]) -> list[Any]:
    """The same of each."""
    shown_by = _shown_by(serializer)
    return [shown_by.to_representation(instance) for instance in instances]


def _shown_by(serializer: type[serializers.BaseSerializer[Any]]) -> serializers.BaseSerializer[Any]:
    return _made.get(serializer) or _made.setdefault(serializer, serializer())


_made: dict[type[serializers.BaseSerializer[Any]], serializers.BaseSerializer[Any]] = {}


class StrictSerializer(serializers.Serializer[Any]):
    """Input with known fields only."""

    default_error_messages: ClassVar = {
        "unknown": _("There is no such field."),
        "repeated": _("Give it once."),
    }

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown and repeated names before anything is read."""
        if hasattr(data, "keys"):
            self._refuse(data)
        return super().to_internal_value(data)

    def _refuse(self, data: Any) -> None:
        refused: dict[str, list[str]] = {}
        for name in data:
            field = self.fields.get(str(name))
            if field is None or field.read_only:
                refused[str(name)[:_SHOWN]] = [str(self.error_messages["unknown"])]
            elif isinstance(data, QueryDict) and len(data.getlist(name)) > 1 and not _takes_many(field):
                refused[str(name)] = [str(self.error_messages["repeated"])]
        if refused:
            raise serializers.ValidationError(refused)


class ChoiceLabel(serializers.CharField):
    """The name of a choice in the language of the request, of which the value is at hand as ``source``.

    ``get_<field>_display`` makes a table of all names for each row.
    """

    def __init__(self, choices: type[Choices], *, source: str) -> None:
        super().__init__(source=source, read_only=True)
        self._names = dict(choices.choices)

    def to_representation(self, value: Any) -> str:
        """The name, or what has none as it stands."""
        return str(self._names.get(value, value))


class QuerySerializer(StrictSerializer):
    """The query string of a call: known names only, each once."""

    default_error_messages: ClassVar = {"unknown": _("There is no such filter.")}

    def to_internal_value(self, data: Any) -> Any:
        """Read the values as they stand: in a form an empty one would count as not given."""
        self._refuse(data)
        return super().to_internal_value(data.dict() if isinstance(data, QueryDict) else data)


class QueryInteger(serializers.IntegerField):
    """A whole number in a query string: plain digits; ``1_0``, ``٣`` and `` 3`` are none."""

    def to_internal_value(self, data: Any) -> int:
        """Take plain digits only."""
        if not re.fullmatch(r"-?[0-9]{1,20}", str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class QueryFlag(serializers.BooleanField):
    """``true`` or ``false`` in a query string; nothing else is either."""

    def to_internal_value(self, data: Any) -> bool:
        """Take the two words only."""
        if data not in {"true", "false"}:
            self.fail("invalid", input=str(data)[:_SHOWN])
        return bool(data == "true")


class StrictInteger(serializers.IntegerField):
    """A JSON integer; ``"5"``, ``5.0`` and ``true`` are none."""

    def to_internal_value(self, data: Any) -> int:
        """Take integers only."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBoolean(serializers.BooleanField):
    """A JSON ``true`` or ``false``; ``"yes"`` and ``1`` are none."""

    def to_internal_value(self, data: Any) -> bool:
        """Take booleans only."""
        if not isinstance(data, bool):
            self.fail("invalid", input=str(data)[:_SHOWN])
        return data


class StrictText(serializers.CharField):
    """A JSON string; a number is none."""

    def to_internal_value(self, data: Any) -> str:
        """Take strings only."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def _takes_many(field: Any) -> bool:
    return isinstance(field, serializers.ListField | serializers.MultipleChoiceField)


def validated(serializer: type[StrictSerializer], data: Any, **context: Any) -> dict[str, Any]:
    """The checked values of a request, or a ValidationError that names every wrong field."""
    if not context and data is not None:
        checked: dict[str, Any] = _shown_by(serializer).run_validation(data)
        return checked
    asked = serializer(data=data, context=context)
    asked.is_valid(raise_exception=True)
    values: dict[str, Any] = asked.validated_data
    return values
