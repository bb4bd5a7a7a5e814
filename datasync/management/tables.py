"""Readable tables for a terminal; a Chinese character takes two places there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

WIDEST_CELL = 48


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def cell(value: Any, *, widest: int | None = WIDEST_CELL) -> str:
    """A value as one line of text, cut where it is too wide and without characters that would steer a terminal."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    text = "".join(char if char.isprintable() else " " for char in str(value))
    if widest is None or _width(text) <= widest:
        return text
    kept, width = [], 0
    for char in text:
        width += _width(char)
        if width > widest - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a table: numbers to the right, text to the left, a rule below the header, the last column whole."""
    values = [tuple(row) for row in rows]
    cells = [(*(cell(value) for value in row[:-1]), cell(row[-1], widest=None)) for row in values]
    numeric = [
        bool(values) and all(isinstance(row[at], int | float) or row[at] is None for row in values)
        for at in range(len(headers))
    ]
    widths = [max(_width(row[at]) for row in (tuple(headers), *cells)) for at in range(len(headers))]

    def line(row: Sequence[str]) -> str:
        padded = (
            " " * (width - _width(text)) + text if right else text + " " * (width - _width(text))
            for text, width, right in zip(row, widths, numeric, strict=True)
        )
        return "  ".join(padded).rstrip()

    yield line(headers)
    yield "  ".join("-" * width for width in widths)
    for row in cells:
        yield line(row)


def facts(pairs: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Lines of ``name  value``, names padded to one width."""
    known = [(name, cell(value, widest=None)) for name, value in pairs]
    width = max((_width(name) for name, _ in known), default=0)
    for name, value in known:
        yield f"{name}{' ' * (width - _width(name))}  {value}".rstrip()
