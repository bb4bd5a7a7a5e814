"""Lists come in pages; a page past the end is empty, and asking for too many rows gives as many as allowed.

Long lists come in cursor pages: each names the cursor of the next one, nothing is counted, and the last page costs what
the first does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers

from erp.api.keyset import InvalidCursor, Keyset
from erp.api.serializers import QueryInteger, QuerySerializer
from erp.pages import part_of

MOST_PER_PAGE = 200
LAST_PAGE = 1_000_000


class SizedQuery(QuerySerializer):
    """The query of a list, without how its pages are named. A subclass says its own ``default_page_size``."""

    default_page_size = 50

    page_size = QueryInteger(
        min_value=1, required=False, help_text=f"Rows a page, at most {MOST_PER_PAGE}; more is cut to that."
    )

    def validate_page_size(self, value: int) -> int:
        """Cut what is too much instead of refusing it."""
        return min(value, MOST_PER_PAGE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fill in this list's own page size."""
        attrs.setdefault("page_size", self.default_page_size)
        return attrs


class PagedQuery(SizedQuery):
    """The query of a list in numbered pages."""

    page = QueryInteger(min_value=1, max_value=LAST_PAGE, default=1, help_text="Counted from 1.")


class CursorQuery(SizedQuery):
    """The query of a list in cursor pages."""

    cursor = serializers.CharField(
        max_length=2000, required=False, help_text="`next_cursor` of the page before; nothing: the first page."
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and where they stand in it."""

    rows: Sequence[Any]
    number: int
    size: int
    total: int

    @property
    def document(self) -> dict[str, int | bool]:
        """What the envelope says of it."""
        pages = -(-self.total // self.size)
        return {
            "page": self.number,
            "page_size": self.size,
            "total": self.total,
            "total_pages": pages,
            "has_previous": self.number > 1,
            "has_next": self.number < pages,
        }


def paginate(
    rows: QuerySet[Any, Any],
    *,
    page: int,
    page_size: int,
    shown: Callable[[QuerySet[Any]], QuerySet[Any]] | None = None,
) -> Page:
    """Read one page: one query that counts, and one that reads unless the page is past the end.

    ``shown`` adds to the rows of the page what is shown of them, joins and annotations, which no other row costs.
    """
    total = rows.count()
    found = part_of(rows, of=total, page=page, size=page_size, shown=shown)
    return Page(rows=found, number=page, size=page_size, total=total)


@dataclass(frozen=True, slots=True)
class CursorPage:
    """Some rows of a list, and the cursor of those after them; ``None`` at the end."""

    rows: Sequence[Any]
    size: int
    next_cursor: str | None

    @property
    def document(self) -> dict[str, Any]:
        """What the envelope says of it."""
        return {"page_size": self.size, "next_cursor": self.next_cursor, "has_next": self.next_cursor is not None}


def read_cursor(cursor: str | None, *, model: type[Model], ordering: Sequence[str]) -> tuple[Any, ...] | None:
    """The values of the row after which a cursor goes on; None at the beginning. The rest as ``cursor_page``."""
    try:
        return Keyset.of(model, ordering).read(cursor) if cursor else None
    except InvalidCursor:
        raise serializers.ValidationError({"cursor": [_("This is no cursor of this list in this ordering.")]}) from None


def cursor_page(
    rows: QuerySet[Any, Any], *, ordering: Sequence[str], page_size: int, cursor: str | None = None
) -> CursorPage:
    """Read the page after a cursor: one query, up to three where the page crosses into rows with other leading values.

    ``ordering`` names columns of the model as ``order_by`` does; the last one tells any two rows apart, only the first
    may hold NULL. ``rows`` may be instances or ``values()`` with these columns. A cursor of another list or ordering is
    a ValidationError of the field ``cursor``.
    """
    after = read_cursor(cursor, model=rows.model, ordering=ordering)
    return page_after([rows], ordering=ordering, page_size=page_size, after=after)


def page_after(
    parts: Sequence[QuerySet[Any, Any]], *, ordering: Sequence[str], page_size: int, after: Sequence[Any] | None
) -> CursorPage:
    """The same after what ``read_cursor`` read, of querysets of one model whose rows follow each other in this order.

    Each that is entered is asked.
    """
    keyset = Keyset.of(parts[0].model, ordering)
    found = keyset.take(parts, after=after, most=page_size + 1)
    shown = found[:page_size]
    return CursorPage(rows=shown, size=page_size, next_cursor=keyset.cursor(shown[-1]) if found[page_size:] else None)
