"""Lists come in pages; a page past the end is empty, and asking for too many rows gives as many as allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from erp.api.serializers import QueryInteger, QuerySerializer

MOST_PER_PAGE = 200
LAST_PAGE = 1_000_000


class PagedQuery(QuerySerializer):
    """The query of a list. A subclass says its own default with ``default_page_size``."""

    default_page_size = 50

    page = QueryInteger(min_value=1, max_value=LAST_PAGE, default=1, help_text="Counted from 1.")
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


def paginate(rows: QuerySet[Any], *, page: int, page_size: int) -> Page:
    """Read one page: one query that counts, and one that reads unless the page is past the end."""
    total = rows.count()
    first = (page - 1) * page_size
    found = list(rows[first : first + page_size]) if first < total else []
    return Page(rows=found, number=page, size=page_size, total=total)
