"""What all kinds of cells share: cleaning text, and looking one by one at what the fast way could not read."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from datasync.ingest.words import INVISIBLE, NULL_WORDS
from datasync.reasons import Reason

_NULLS = sorted({form for word in NULL_WORDS for form in (word, word.upper(), word.title(), word.capitalize())})


@dataclass(slots=True)
class Errors:
    """Where cells of one column could not be read: a mask over the rows for each reason."""

    masks: list[tuple[pl.Series, Reason]] = field(default_factory=list)

    def add(self, mask: pl.Series, reason: Reason) -> None:
        """Keep the mask if it marks any row."""
        if mask.any():
            self.masks.append((mask, reason))


def strip(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """White space around cells and invisible marks inside them removed; the text is otherwise as written."""
    cells = pl.col(columns).str
    stripped = frame.with_columns(cells.strip_chars())
    wide = stripped.select((cells.len_bytes() != cells.len_chars()).any())
    if not (names := [name for name in columns if wide[name][0]]):
        return stripped
    marked = stripped.select(pl.col(names).str.contains_any(INVISIBLE).any())
    if not (names := [name for name in names if marked[name][0]]):
        return stripped
    removed = [""] * len(INVISIBLE)
    return stripped.with_columns(pl.col(names).str.replace_many(INVISIBLE, removed).str.strip_chars())


def blank(stripped: pl.DataFrame, columns: list[str]) -> pl.Series:
    """Which rows have no text in any cell."""
    return stripped.select((~pl.any_horizontal((pl.col(columns) != "").fill_null(value=False))).alias("blank"))["blank"]


def without_nulls(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Cells that say "nothing" in any of the languages made null."""
    cells = pl.col(columns)
    return frame.with_columns(pl.when(cells.is_in(_NULLS)).then(None).otherwise(cells).name.keep())


def plain(text: str) -> str:
    """A cell for comparison: full-width characters made narrow, white space folded."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


Parse = Callable[[str], tuple[str | int | None, Reason | None]]


def one_by_one(cells: pl.Series, todo: pl.Series, values: pl.Series, parse: Parse, errors: Errors) -> pl.Series:
    """``values`` with the cells in ``todo`` replaced by what ``parse`` makes of them, each distinct text once.

    A text that ``parse`` refuses becomes null and is marked in ``errors`` with its reason.
    """
    if not todo.any():
        return values
    distinct = cells.filter(todo).unique().to_list()
    parsed = {text: parse(text) for text in distinct}
    found = [(text, value) for text, (value, reason) in parsed.items() if reason is None]
    replaced = cells.replace_strict(
        [text for text, _ in found], [value for _, value in found], default=None, return_dtype=values.dtype
    ) if found else pl.Series(values.name, [None] * len(values), dtype=values.dtype)  # fmt: skip
    for reason in {reason for _, reason in parsed.values() if reason is not None}:
        refused = [text for text, (_, why) in parsed.items() if why is reason]
        errors.add(todo & cells.is_in(refused).fill_null(value=False), reason)
    return values.zip_with(~todo, replaced)
