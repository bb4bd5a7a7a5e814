"""Rows of a file that a person has decided on: a later sync of the file knows them again by place and content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import polars as pl

_AT_ONCE = 10_000
_SCHEMA = {"row": pl.UInt32, "values": pl.Binary, "released": pl.Boolean}


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a row: its number in the sheet and its cells as quarantine stores them.

    ``key`` is the fact that a released row became, where the row is surely still in the file; else None.
    """

    row: int
    values: Sequence[str | None]
    released: bool
    key: str | None = None


class DecidedRows:
    """Which rows of one file were released or discarded: 16 bytes and the row's number for each.

    A row is the one that was decided on when it stands in the same row of the sheet with the same cells; where the
    place was decided on more than once, the last decision on these cells counts.
    """

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        """``decisions`` are in the order in which the rows came into quarantine."""
        waiting, parts = iter(decisions), [pl.DataFrame(schema=_SCHEMA)]
        self._keys: dict[str, int] = {}
        while chunk := list(islice(waiting, _AT_ONCE)):
            known = [(decision.row, fingerprint(decision.values), decision.released) for decision in chunk]
            parts.append(pl.DataFrame(known, schema=_SCHEMA, orient="row"))
            self._keys |= {decision.key: decision.row for decision in chunk if decision.key is not None}
        self._known = pl.concat(parts).unique(subset=["row", "values"], keep="last", maintain_order=True)

    def __bool__(self) -> bool:
        return not self._known.is_empty()

    def find(self, original: pl.DataFrame, columns: list[str]) -> tuple[list[int], list[int]]:
        """Positions in ``original`` (``row`` and cells) of the rows that were released, and of those discarded."""
        if not self:
            return [], []
        near = original.with_row_index("at").join(self._known.select("row").unique(), on="row", how="semi")
        asked = pl.DataFrame(
            {"at": near["at"], "row": near["row"], "values": map(fingerprint, near.select(columns).iter_rows())},
            schema={"at": pl.UInt32, "row": pl.UInt32, "values": pl.Binary},
        )
        found = asked.join(self._known, on=["row", "values"], how="inner").sort("at")
        return found.filter("released")["at"].to_list(), found.filter(~pl.col("released"))["at"].to_list()

    def repeated(self, rows: pl.DataFrame) -> pl.Series | None:
        """Which prepared ``rows`` a released row further down the sheet has the key of; None: no key is known.

        Of rows with one key the last of the sheet wins, and a released row has its place in the sheet.
        """
        if not self._keys:
            return None
        below = rows["record_key"].replace_strict(self._keys, default=None, return_dtype=pl.UInt32)
        return (below > rows["sheet_row"]).fill_null(value=False)


def fingerprint(values: Sequence[str | None]) -> bytes:
    """128 bits that are equal for equal cells, whether they come from a sheet or from quarantine."""
    said = json.dumps([storable(text) if text is not None else None for text in values], ensure_ascii=True)
    return hashlib.sha256(said.encode()).digest()[:16]


def storable(text: str) -> str:
    """The text as JSON in PostgreSQL can hold it: no NUL; the replacement character shows where it was."""
    return text.replace("\x00", "\ufffd")
