"""Adding to the counters of many rows, whether the rows are there or not.

Processes that count the same thing at once all count: the database adds, nobody reads first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model

ROWS_A_STATEMENT = 200


def add_up(model: type[Model], rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str], adding: str) -> None:
    """Insert the rows; where one is there already, add to its ``adding`` and take over everything else.

    ``rows`` name all columns but the id, all alike; no two of them agree in ``unique``. They are written in the order
    of these, so that processes which do the same never wait for each other in a circle.
    """
    ordered = sorted(rows, key=lambda row: tuple(str(row[name]) for name in unique))
    for first in range(0, len(ordered), ROWS_A_STATEMENT):
        _add_up(model, ordered[first : first + ROWS_A_STATEMENT], unique=unique, adding=adding)


def _add_up(model: type[Model], rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str], adding: str) -> None:
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    fields = {name: _column(model, name) for name in rows[0]}
    columns = {name: quote(str(field.column)) for name, field in fields.items()}
    added = columns[adding]
    changes = [f"{added} = {table}.{added} + EXCLUDED.{added}"]
    changes += [f"{column} = EXCLUDED.{column}" for name, column in columns.items() if name not in {adding, *unique}]
    places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(rows))
    values = [field.get_db_prep_save(row[name], connection) for row in rows for name, field in fields.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns.values())}) VALUES {places} "  # noqa: S608 - names are the model's
            f"ON CONFLICT ({', '.join(columns[name] for name in unique)}) DO UPDATE SET {', '.join(changes)}",
            values,
        )


def _column(model: type[Model], name: str) -> Field[Any, Any]:
    field = model._meta.get_field(name)
    if not isinstance(field, Field):
        raise TypeError(name)
    return field
