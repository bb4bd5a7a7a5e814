"""Numbered pages of long lists, at the price of the rows that are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet


def part_of(
    rows: QuerySet[Any, Any],
    *,
    of: int,
    page: int,
    size: int,
    shown: Callable[[QuerySet[Any]], QuerySet[Any]] | None = None,
) -> list[Any]:
    """The rows of one page, counted from 1, ``of`` so many rows in all; one query, none past the end.

    The ordering tells any two rows apart. Instances are chosen by their keys: only those of the page are read whole,
    with the joins and annotations that they have or that ``shown`` adds. A page of the second half is found from the
    end, so that the last one costs what the first does. Rows of ``values()``, or of a list that is itself cut, are read
    as they come.
    """
    before = (page - 1) * size
    number = min(size, of - before)
    if number <= 0:
        return []
    if rows.query.has_select_fields or rows.query.is_sliced:
        return list(rows[before : before + number])
    behind = of - before - number
    keys = rows.values("pk")
    chosen = keys[before : before + number] if before <= behind else keys.reverse()[behind : behind + number]
    found = rows.filter(pk__in=chosen)
    return list(shown(found) if shown else found)
