"""Choose, among the templates of a family, the one that fits the beginning of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from datasync.exceptions import NoSheet
from datasync.ingest.headers import join_header
from datasync.ingest.plan import SheetHead
from datasync.mapping.match import Match, Outcome, match
from datasync.mapping.store import Stored

SAMPLE_ROWS = 40
_SEARCHED_ROWS = 20

HeadOf = Callable[[str | None], SheetHead]
_Place = tuple[str | None, int, int]


@dataclass(frozen=True, slots=True)
class Choice:
    """A template, how well it fits, and the beginning of the sheet in which it was looked for.

    ``header_row`` is the 0-based row in which its header really stands; it differs from the template's own where the
    header was found elsewhere only.
    """

    stored: Stored
    match: Match
    head: SheetHead
    header_row: int

    def as_dict(self) -> dict[str, Any]:
        """The choice as JSON, for the catalogue and the API."""
        return self.match.as_dict() | {
            "template_id": self.stored.id,
            "header_row": self.stored.template.header_row,
            "detected_header_row": self.header_row,
        }


def choose(head_of: HeadOf, candidates: Iterable[Stored]) -> Choice | None:
    """The template that fits best, each looked for in its own row and sheet; None when none is about such a header.

    When none fits where it says, the first rows are searched for one that would.
    """
    by_place: dict[_Place, list[Stored]] = {}
    for stored in candidates:
        template = stored.template
        by_place.setdefault((template.sheet, template.header_row, template.header_rows), []).append(stored)
    found = [choice for place, there in by_place.items() if (choice := _match_at(head_of, place, there))]
    best = min(found, key=_rank, default=None)
    if best is not None and best.match.outcome.syncable:
        return best
    elsewhere = _search(head_of, by_place)
    if elsewhere is not None:
        return elsewhere
    return best if best is not None and best.match.outcome is not Outcome.NONE else None


def header_at(rows: Sequence[Sequence[str]], *, row: int, header_rows: int = 1) -> tuple[str, ...]:
    """The header in ``rows[row]``, without empty cells at its end; grouped headers are joined by " / "."""
    joined = join_header(rows[row : row + header_rows])
    while joined and not joined[-1].strip():
        joined.pop()
    return tuple(joined)


def _match_at(head_of: HeadOf, place: _Place, candidates: list[Stored], row: int | None = None) -> Choice | None:
    sheet, stated, header_rows = place
    row = stated if row is None else row
    try:
        head = head_of(sheet)
    except NoSheet:
        return None
    header = header_at(head.rows, row=row, header_rows=header_rows)
    if not any(text.strip() for text in header):
        return None
    below = head.rows[row + header_rows : row + header_rows + SAMPLE_ROWS]
    found = match(header, [stored.template for stored in candidates], sample_rows=below)
    stored = next((stored for stored in candidates if stored.template is found.template), None)
    return Choice(stored, found, head, row) if stored else None


def _search(head_of: HeadOf, by_place: dict[_Place, list[Stored]]) -> Choice | None:
    for place, candidates in by_place.items():
        for row in range(_SEARCHED_ROWS):
            if row == place[1]:
                continue
            choice = _match_at(head_of, place, candidates, row)
            if choice is not None and choice.match.outcome.syncable:
                return choice
    return None


def _rank(choice: Choice) -> tuple[object, ...]:
    outcome = choice.match.outcome
    return (
        outcome is Outcome.NONE,
        outcome is Outcome.BLOCKED,
        -round(choice.match.score, 6),
        list(Outcome).index(outcome),
        -choice.stored.template.version,
    )
