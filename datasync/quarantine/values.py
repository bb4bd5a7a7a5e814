"""The cells of a quarantined row: the original ones, what a person says they should hold, and both together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from datasync.choices import QuarantineState
from datasync.exceptions import InvalidRequest
from datasync.models import QuarantinedRow

LONGEST = 32_767
"""Characters of a corrected cell: as many as a cell of a workbook holds."""
_PLACE = re.compile(r"#([1-9][0-9]{0,4})")
_UNPAIRED = re.compile("[\ud800-\udfff]")

Cells = list[str | None]


def original(row: QuarantinedRow) -> Cells:
    """The cells as they stood in the file, one for each header."""
    width = len(row.header_set.headers)
    cells = [str(value) if value else None for value in row.values]
    return (cells + [None] * width)[:width]


def corrections(row: QuarantinedRow) -> dict[int, str | None]:
    """What a person says of the row's cells, by position in the header, counted from 0."""
    return {int(position): text for position, text in (row.corrected or {}).items()}


def current(row: QuarantinedRow) -> Cells:
    """The cells with the corrections in place of what they correct."""
    cells = original(row)
    for position, text in corrections(row).items():
        if position < len(cells):
            cells[position] = text
    return cells


def positions(headers: Sequence[str], given: Mapping[str, str | None]) -> dict[int, str | None]:
    """``given`` by position. A name is a header as it stands in the file, or ``#3`` for the third column.

    Raises ``InvalidRequest`` for a header that is not there, or that stands there more than once.
    """
    found: dict[int, str | None] = {}
    for name, text in given.items():
        position = position_of(headers, name)
        if position in found:
            raise InvalidRequest(detail=_("“%(name)s” is given twice.") % {"name": name})
        found[position] = clean(text, name=name)
    return found


def position_of(headers: Sequence[str], name: str) -> int:
    """The column of that name. Raises ``InvalidRequest``."""
    position = find_column(headers, name)
    if position is None:
        raise no_such_column(name)
    return position


def no_such_column(name: str) -> InvalidRequest:
    """What is said of a name that is no column's."""
    shown = name[:200].encode("utf-8", "replace").decode()
    return InvalidRequest(detail=_("The row has no column “%(name)s”.") % {"name": shown})


def find_column(headers: Sequence[str], name: str) -> int | None:
    """The column of that name or at that place, if there is one. Raises ``InvalidRequest`` where there are several."""
    equal = [position for position, header in enumerate(headers) if header == name]
    if len(equal) > 1:
        places = ", ".join(f"#{position + 1}" for position in equal)
        raise InvalidRequest(
            detail=_("Several columns are named “%(name)s”: say which one by its place: %(places)s.")
            % {"name": name, "places": places}
        )
    if equal:
        return equal[0]
    place = _PLACE.fullmatch(name)
    return int(place[1]) - 1 if place and int(place[1]) <= len(headers) else None


def clean(text: str | None, *, name: str) -> str | None:
    """A corrected text as it is kept: without blanks around it; a blank one is a blank cell. ``InvalidRequest``."""
    if text is None:
        return None
    if "\0" in text or _UNPAIRED.search(text):
        raise InvalidRequest(detail=_("“%(name)s” holds a character that no cell can hold.") % {"name": name[:200]})
    if len(text) > LONGEST:
        raise InvalidRequest(
            detail=_("“%(name)s” is longer than %(most)s characters.") % {"name": name[:200], "most": LONGEST}
        )
    return text.strip() or None


def correct_cells(row: QuarantinedRow, given: Mapping[int, str | None]) -> list[dict[str, object]]:
    """Put corrections into the row, unsaved; what equals the original is none. Returns what changed, for the audit."""
    cells, before = original(row), corrections(row)
    after = dict(before)
    for position, text in given.items():
        if text == cells[position]:
            after.pop(position, None)
        else:
            after[position] = text
    changed = [
        position for position in given if before.get(position, cells[position]) != after.get(position, cells[position])
    ]
    row.corrected = {str(position): after[position] for position in sorted(after)} or None
    row.state = QuarantineState.CORRECTED if after else QuarantineState.OPEN
    return [
        _change(row, position, before.get(position, cells[position]), after.get(position, cells[position]))
        for position in changed
    ]


def confirm_cells(row: QuarantinedRow, places: Iterable[int]) -> list[dict[str, object]]:
    """Let cells stand as they are, unsaved: a correction that says what the cell says. Returns what changed."""
    cells, before = original(row), corrections(row)
    new = [position for position in places if position not in before]
    after = before | {position: cells[position] for position in new}
    row.corrected = {str(position): after[position] for position in sorted(after)} or None
    row.state = QuarantineState.CORRECTED if after else QuarantineState.OPEN
    return [_change(row, position, cells[position], cells[position]) for position in new]


def _change(row: QuarantinedRow, position: int, old: str | None, new: str | None) -> dict[str, object]:
    header = row.header_set.headers[position]
    return {"row": row.sheet_row, "column": position + 1, "header": header, "from": old, "to": new}
