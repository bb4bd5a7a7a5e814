"""Rows of a file that a person has decided on: a later sync of the file knows them again by place and content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import polars as pl

_AT_ONCE = 10_000
_KNOWN = {
    "row": pl.UInt32, "values": pl.Binary, "released": pl.Boolean, "corrected": pl.String, "context": pl.String
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a row: its number in the sheet and its cells as quarantine stores them.

    Of a released row also the cells that a person wrote, by position in the header, and the context (see
    ``prepare.context``) with which it was loaded.
    """

    row: int
    values: Sequence[str | None]
    released: bool
    corrected: Mapping[str, str | None] | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class ReleasedRow:
    """A row of a batch that was released: what a person wrote into its cells, and with which context it was loaded."""

    corrected: Mapping[int, str | None]
    context: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """The decided rows of a batch: released ones by their position in it, and the positions of discarded ones."""

    released: Mapping[int, ReleasedRow]
    discarded: list[int]

    @property
    def positions(self) -> list[int]:
        """All of them."""
        return [*self.released, *self.discarded]


class DecidedRows:
    """Which rows of one file were released or discarded: 16 bytes and the row's number for each, and what was said.

    A row is the one that was decided on when it stands in the same row of the sheet with the same cells; where the
    place was decided on more than once, the last decision on these cells counts.
    """

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        """``decisions`` are in the order in which the rows came into quarantine."""
        waiting, parts = iter(decisions), [pl.DataFrame(schema=_KNOWN)]
        while chunk := list(islice(waiting, _AT_ONCE)):
            parts.append(pl.DataFrame([_known(decision) for decision in chunk], schema=_KNOWN, orient="row"))
        self._known = pl.concat(parts).unique(subset=["row", "values"], keep="last", maintain_order=True)

    def __bool__(self) -> bool:
        return not self._known.is_empty()

    def find(self, original: pl.DataFrame, columns: list[str]) -> Found:
        """The decided rows among ``original`` (``row`` and cells)."""
        if not self:
            return Found({}, [])
        near = original.with_row_index("at").join(self._known.select("row").unique(), on="row", how="semi")
        asked = pl.DataFrame(
            {"at": near["at"], "row": near["row"], "values": map(fingerprint, near.select(columns).iter_rows())},
            schema={"at": pl.UInt32, "row": pl.UInt32, "values": pl.Binary},
        )
        found = asked.join(self._known, on=["row", "values"], how="inner").sort("at")
        released = found.filter("released").select("at", "corrected", "context").rows()
        return Found(
            {at: ReleasedRow(_by_position(corrected), context) for at, corrected, context in released},
            found.filter(~pl.col("released"))["at"].to_list(),
        )


def _known(decision: Decision) -> tuple[int, bytes, bool, str | None, str | None]:
    corrected = json.dumps(decision.corrected) if decision.released and decision.corrected else None
    context = decision.context if decision.released else None
    return decision.row, fingerprint(decision.values), decision.released, corrected, context


def _by_position(corrected: str | None) -> dict[int, str | None]:
    return {int(position): text for position, text in json.loads(corrected or "{}").items()}


def fingerprint(values: Sequence[str | None]) -> bytes:
    """128 bits that are equal for equal cells, whether they come from a sheet, from quarantine or from a fact.

    A fact does not tell a cell of white space, which is an empty text in a sheet, from one without any text.
    """
    said = json.dumps([storable(text) if text else None for text in values], ensure_ascii=True)
    return hashlib.sha256(said.encode()).digest()[:16]


def storable(text: str) -> str:
    """The text as JSON in PostgreSQL can hold it: no NUL; the replacement character shows where it was."""
    return text.replace("\x00", "\ufffd")
