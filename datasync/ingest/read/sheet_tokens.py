"""From a piece of sheet XML to its cells, column-wise.

A cell is its row's place in the piece, its column, its kind and its raw value. ``tokenise`` knows the one way in which
nearly all writers serialise cells and gives up (``None``) at anything else; ``SheetParser`` in ``sheet_expat`` reads
whatever is XML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from datasync.ingest.read.cell_kinds import CellKind, cell_kind
from datasync.ingest.read.xml_text import text_column

ROW_NUMBER = r'^ (?:[^>]* )?r="([0-9]{1,7})"'
# Written so that each next byte decides the branch: the regex engine then needs no second look
CELL = r'^r="([A-Z]{1,3})[0-9]+"([^>]*)>(?:<(?:f[^>]*>[^<]*<(?:/f><)?v|v|is><t)[^>]*>([^<]*))?'
EMPTY_CELL = (
    r"^[^>]*(?:/>|>(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?"
    r"(?:<v[^>]*(?:/>|></v>)|<is/>|<is>(?:<t[^>]*(?:/>|></t>))?</is>)?</c>)"
)
ATTRIBUTES = re.compile(r'(?: [a-z]+="[^"]*")*/?')
STYLE = re.compile(r' s="([0-9]{1,9})"')
TYPE = re.compile(r' t="([A-Za-z]+)"')
UNREADABLE = -1


@dataclass(slots=True)
class Tokens:
    """``numbers``: row numbers, 1-based. ``cells``: ``i`` (place in ``numbers``), ``col``, ``kind``, ``value``.

    Empty cells are left out; a formula without a value is a cell of kind ``FORMULA``.
    """

    numbers: pl.Series
    cells: pl.DataFrame


@dataclass(slots=True)
class KindTable:
    """Remembers the kind of each combination of attributes: a sheet has few of them."""

    number_kinds: tuple[CellKind, ...]
    known: dict[str, int] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)

    def kinds(self, attributes: pl.Series) -> pl.Series:
        """Kind of each cell by the attributes behind its reference; ``UNREADABLE`` where they are unusual."""
        return _looked_up(attributes, self.known, self._kind, pl.Int8())

    def positions(self, letters: pl.Series) -> pl.Series:
        """0-based columns of ``A``, ``B`` … ``XFD``."""
        return _looked_up(letters, self.columns, column_position, pl.UInt32())

    def _kind(self, attributes: str) -> int:
        if ATTRIBUTES.fullmatch(attributes) is None:
            return UNREADABLE
        style, type_ = STYLE.search(attributes), TYPE.search(attributes)
        return cell_kind(type_[1] if type_ else "n", int(style[1]) if style else 0, self.number_kinds)


def _looked_up(texts: pl.Series, known: dict[str, int], compute: Callable[[str], int], dtype: pl.DataType) -> pl.Series:
    """Each text's value from ``known``, which learns the few that it does not hold yet."""
    if known:
        values = texts.replace_strict(known, default=None, return_dtype=dtype)
        if not values.null_count():
            return values
    for text in texts.unique():
        if text not in known:
            known[text] = compute(text)
    return texts.replace_strict(known, return_dtype=dtype)


def column_position(letters: str) -> int:
    """``A`` → 0, ``XFD`` → 16383."""
    position = 0
    for letter in letters:
        position = position * 26 + ord(letter) - 64
    return position - 1


def tokenise(piece: bytes, table: KindTable) -> Tokens | None:
    """The cells of whole ``<row>`` elements, or ``None`` when they are not written in the usual way."""
    rows = text_column(piece, part="sheet").str.split("<row").explode()
    if rows[0].strip():
        return None
    parts = rows.slice(1).str.split("<c ")
    numbers = parts.list.first().str.extract(ROW_NUMBER).cast(pl.UInt32)
    if numbers.null_count():
        return None
    places = pl.int_range(len(parts), dtype=pl.UInt32, eager=True)
    cells = pl.DataFrame({"i": places, "xml": parts.list.slice(1)}).filter(pl.col("xml").list.len() > 0).explode("xml")
    if piece.count(b"<c") != len(cells):
        return None  # a cell without attributes hides in the one before it
    split = _split(cells, table)
    return None if split is None else Tokens(numbers, split)


def _split(cells: pl.DataFrame, table: KindTable) -> pl.DataFrame | None:
    groups = cells["xml"].str.extract_groups(CELL).struct.unnest()
    letters, attributes, value = groups.get_columns()
    if letters.null_count():
        return None
    kinds = table.kinds(attributes)
    if kinds.eq(UNREADABLE).any():
        return None
    found = pl.DataFrame({"i": cells["i"], "col": table.positions(letters), "kind": kinds, "value": value})
    empty = value.is_null() | (value == "")
    if not empty.any():
        return found
    blank = cells.filter(empty)["xml"]
    if not blank.str.contains(EMPTY_CELL).all():
        return None
    formulas = found.filter(empty).filter(
        blank.str.contains("<f", literal=True) & (kinds.filter(empty) != CellKind.TEXT)
    )
    formulas = formulas.with_columns(pl.lit(CellKind.FORMULA.value, pl.Int8).alias("kind"))
    return pl.concat([found.filter(~empty), formulas])
