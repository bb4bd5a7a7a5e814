"""What a cell of sheet XML holds, from its type attribute and its style."""

from __future__ import annotations

from enum import IntEnum


class CellKind(IntEnum):
    """Decides how the raw value becomes text."""

    NUMBER = 0
    TEXT = 1
    SHARED = 2  # an index into the shared strings
    BOOLEAN = 3
    ERROR = 4
    DATE = 5  # a serial number shown as a day
    DATETIME = 6  # a serial number shown as day and time
    TIME = 7  # a serial number shown as a time of day
    DURATION = 8  # a serial number shown as elapsed time
    ISO = 9  # ISO 8601 text
    FORMULA = 10  # a formula whose value was never calculated
    PERCENT = 11  # a number shown a hundredfold, with a percent sign


TYPES = {
    "s": CellKind.SHARED,
    "str": CellKind.TEXT,
    "inlineStr": CellKind.TEXT,
    "b": CellKind.BOOLEAN,
    "e": CellKind.ERROR,
    "d": CellKind.ISO,
}


def cell_kind(type_: str, style: int, number_kinds: tuple[CellKind, ...]) -> CellKind:
    """The kind of a cell; a style that the workbook does not have is a plain number."""
    if type_ in TYPES:
        return TYPES[type_]
    return number_kinds[style] if style < len(number_kinds) else CellKind.NUMBER
