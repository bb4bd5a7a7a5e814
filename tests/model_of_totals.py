"""Rows of a random sheet that are no data: a labelled total, or a first row that holds the sums of the others."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.model_of_rows import Cell, Field, Layout, Row

TOTALS_LABEL = "合计"
_CENT = Decimal("0.01")


def is_total(row: Row, layout: Layout) -> bool:
    """A label where the id stands, in a row that names nothing else."""
    return row[0].said == TOTALS_LABEL and all(
        cell.said is None for cell, told in zip(row[1:], layout.fields[1:], strict=True) if _names(told, layout)
    )


def is_sum(first: Row, rest: Sequence[Row], layout: Layout) -> bool:
    """Whether the first row holds the sums of rows below it, of which some name something while it names nothing."""
    naming = [at for at, told in enumerate(layout.fields) if _names(told, layout)]
    if any(first[at].said for at in naming) or not any(row[at].said for row in rest for at in naming):
        return False
    agreeing = 0
    for at, told in enumerate(layout.fields):
        said = _sum([first[at]], layout) if told.kind in ("amount", "count") else None
        if said:
            agreeing += 1
            if abs(said - _sum([row[at] for row in rest], layout)) > _CENT:
                return False
    return agreeing > 1


def _sum(cells: Sequence[Cell], layout: Layout) -> Decimal:
    """What can be read of some cells, added up."""
    found = Decimal(0)
    for cell in cells:
        try:
            found += number_of(cell.said or "0", comma=layout.comma and not cell.number)
        except ValueError:
            continue
    return found


def _names(told: Field, layout: Layout) -> bool:
    named = str(told.name).endswith("_name") or told.name in layout.identity
    return named or told.kind in ("id", "day", "hour", "time")


def number_of(text: str, *, comma: bool) -> Decimal:
    """A number as people write it, in brackets or wide digits, with a currency or percent sign; else ``ValueError``."""
    plain = unicodedata.normalize("NFKC", text).replace(" ", "").removeprefix("RM").removesuffix("%")
    negative = plain.startswith("(") and plain.endswith(")")
    plain = plain[1:-1] if negative else plain
    if comma:
        plain = plain.translate(str.maketrans(",.", ".,"))
    if not re.fullmatch(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?", plain):
        raise ValueError(text)
    amount = Decimal(plain.replace(",", ""))
    return -amount if negative else amount
