"""What other rooms have to know of whoever carries a token: asked along with it, in its one statement.

Each request of a program needs its token, its limits and what its person may see, and three questions to the database
take three times as long as one. A room says in its ``ready`` what it asks, and finds the answer on the person. Where
somebody came by another way, such as a session, there is none, and the room asks by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import JSONField, Model, OuterRef, QuerySet, Subquery

_PERSON = "user_id"
_TOLD = "_asked_along"
_questions: dict[str, Callable[[OuterRef], QuerySet[Any, dict[str, Any]]]] = {}


def ask_along(name: str, rows: Callable[[OuterRef], QuerySet[Any, dict[str, Any]]]) -> None:
    """Ask for ``rows`` of the person with each token: a queryset of ``values()``, made of a reference to the person.

    Where the reference is used in a subquery of the queryset, it is wrapped in a further ``OuterRef``.
    """
    _questions[name] = rows


def questions() -> dict[str, Subquery]:
    """What is asked, as annotations of a queryset with the person as ``user_id``."""
    return {name: _Rows(rows(OuterRef(_PERSON))) for name, rows in _questions.items()}


def keep_answers(person: Model, asked: object) -> None:
    """Leave the annotations of ``asked`` on the person."""
    setattr(person, _TOLD, {name: getattr(asked, name) or () for name in _questions})


def answer(person: object, name: str) -> Sequence[dict[str, Any]] | None:
    """The rows that were asked along; None where nobody asked."""
    told: Mapping[str, Sequence[dict[str, Any]]] = getattr(person, _TOLD, {})
    return told.get(name)


class _Rows(Subquery):
    """All rows of a subquery as one JSON array of objects; NULL or empty without any."""

    template = "(SELECT jsonb_agg(one) FROM (%(subquery)s) AS one)"
    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        names = (*self.query.values_select, *self.query.annotation_select)
        pairs = ", ".join(f"'{name}', \"{name}\"" for name in names)
        template = f"(SELECT json_group_array(json_object({pairs})) FROM (%(subquery)s))"  # noqa: S608 - our own names
        return self.as_sql(compiler, connection, template=template, **context)
