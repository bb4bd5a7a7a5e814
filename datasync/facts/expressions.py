"""What PostgreSQL computes of a row while it copies it out, so that no row has to pass through Python."""

from __future__ import annotations

from typing import Any

from django.db.models import Func, TextField
from django.db.models.fields import DateTimeField

from datasync.raw_views import RAW_OBJECT
from datasync.spreadsheets import APOSTROPHE, FORMULA_STARTS

_STARTS = "".join(f"\\u{ord(character):04x}" for character in FORMULA_STARTS)
_FIRST = ", ".join(str(ord(character)) for character in APOSTROPHE + FORMULA_STARTS)


class Escaped(Func):
    """``spreadsheets.escape`` of a text column. The first character decides for nearly every cell."""

    output_field = TextField()
    arity = 1
    template = (
        f"CASE WHEN ascii(%(expressions)s) IN ({_FIRST}) AND %(expressions)s ~ '^''*[{_STARTS}]' "
        "THEN '''' || %(expressions)s ELSE %(expressions)s END"
    )


class InUtc(Func):
    """A point in time as the date and time of UTC, without an offset."""

    output_field: Any = DateTimeField()
    arity = 1
    template = "%(expressions)s AT TIME ZONE 'UTC'"


class IsoUtc(Func):
    """A point in time as Python writes it: ISO 8601 in UTC, microseconds where there are any."""

    output_field = TextField()
    arity = 1
    template = (
        "to_char(%(expressions)s AT TIME ZONE 'UTC', CASE WHEN date_trunc('second', %(expressions)s) = %(expressions)s "
        """THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"' ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' END)"""
    )


class RawObject(Func):
    """The original row, of the columns ``raw`` and the names of its header set, as a JSON object."""

    output_field = TextField()
    arity = 2

    def as_sql(self, compiler: Any, connection: Any, **_context: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Fill both columns into the SQL that the views have."""
        (raw, raw_params), (names, names_params) = map(compiler.compile, self.source_expressions)
        sql = RAW_OBJECT[connection.vendor].format(raw=raw, names=names)
        return sql, [*raw_params, *names_params]
