"""What spreadsheets ask of whoever writes for them: cells that are no formulas, columns that can be told apart.

A cell that a spreadsheet would calculate gets a leading apostrophe. ``unescape`` takes exactly that one away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
"""Characters that begin a formula, or that a spreadsheet skips in front of one."""

APOSTROPHE = "'"

_FORMULA = re.compile(f"'*[{re.escape(FORMULA_STARTS)}]")
_ESCAPED = re.compile(f"'+[{re.escape(FORMULA_STARTS)}]")


def escape(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would calculate it."""
    return f"'{text}" if _FORMULA.match(text) else text


def unescape(text: str) -> str:
    """What ``escape`` was given."""
    return text[1:] if _ESCAPED.match(text) else text


def unique_names(headers: Sequence[str]) -> list[str]:
    """A name for each column of a header, no two alike, so that a row can be an object without losing a cell.

    A header keeps its text; the second of equal ones gets `` (2)``, a blank one is called by its position.
    """
    wanted = [header if header.strip() else f"column {position}" for position, header in enumerate(headers, 1)]
    taken, seen, names = set(wanted), set[str](), []
    for text in wanted:
        name, number = text, 1
        if text in seen:
            while name in taken:
                number += 1
                name = f"{text} ({number})"
            taken.add(name)
        seen.add(text)
        names.append(name)
    return names


def storable(text: str) -> str:
    """A text without what a database's JSON cannot hold: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def storable_document(value: Any) -> Any:
    """A document of JSON with storable texts throughout."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(name): storable_document(part) for name, part in value.items()}
    return [storable_document(part) for part in value] if isinstance(value, list | tuple) else value
