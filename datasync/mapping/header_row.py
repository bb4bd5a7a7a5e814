"""Find the header among the first rows of a sheet, below titles, prose and blocks of totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datasync.fields import Domain
from datasync.mapping.aliases import alias_book, alias_key
from datasync.mapping.headers import header_key
from datasync.mapping.template import Template

MAX_HEADER_ROW = 40
MIN_FIT = 0.5
_NEAR_BEST = 0.9
_MIN_ALIASES = 2


def find_header_row(rows: Sequence[Sequence[str | None]], templates: Iterable[Template] = ()) -> int | None:
    """The 0-based row that is the header, or None when none looks like one.

    A row that a template states wins when it fits about as well as the best one: a block of totals above the header
    often repeats it word for word. Without a fitting template the dictionaries decide.
    """
    head = [[cell or "" for cell in row] for row in rows[: MAX_HEADER_ROW + 1]]
    by_template = _by_templates(head, templates)
    return by_template if by_template is not None else _by_aliases(head)


def _by_templates(head: Sequence[Sequence[str]], templates: Iterable[Template]) -> int | None:
    best, best_row = 0.0, None
    stated: dict[int, float] = {}
    keys = [[header_key(cell).text for cell in row] for row in head]
    for template in templates:
        wanted = [header_key(column.header).text for column in template.columns]
        for index, row in enumerate(keys):
            fit = _fit(row, wanted)
            if fit > best:
                best, best_row = fit, index
            if index == template.header_row:
                stated[index] = max(fit, stated.get(index, 0.0))
    if best < MIN_FIT:
        return None
    near = [index for index, fit in stated.items() if fit >= _NEAR_BEST * best]
    return max(near, key=lambda index: (stated[index], index), default=best_row)


def _fit(row: Sequence[str], wanted: Sequence[str]) -> float:
    """How much a row and a header share, 0 to 1; a nameless first column counts where the template has one."""
    found = {text for text in row if text}
    known = {text for text in wanted if text}
    shared = len(found & known)
    if not shared:
        return 0.0
    bonus = 0.01 if row and wanted and row[0] == wanted[0] else 0.0
    return 2 * shared / (len(found) + len(known)) + bonus


def _by_aliases(head: Sequence[Sequence[str]]) -> int | None:
    """The row with the most headers that some dictionary knows; the first of equals."""
    best, best_row = 0.0, None
    for index, row in enumerate(head):
        named = [key for cell in row if (key := alias_key(cell))]
        known = max((_known(named, domain) for domain in Domain), default=0)
        weight = known * known / len(named) if named else 0.0
        if known >= min(_MIN_ALIASES, len(named)) and weight > best:
            best, best_row = weight, index
    return best_row


def _known(keys: Iterable[str], domain: Domain) -> int:
    book = alias_book(domain)
    return sum(key in book.exact for key in set(keys))
