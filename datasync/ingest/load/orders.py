"""Which orders of a batch are stored already, asked together with the batch's keys and only where it can matter.

A batch of which no key is stored may still bring new lines of stored orders. A first load asks for nothing: of a scope
that was empty before the file no order can have lines of another file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import polars as pl

from datasync.ingest.prepare.identity import SCOPE_DIGITS


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be found out besides the keys of a batch.

    ``scopes``: beginnings of keys (hexadecimal), which of them are stored; ``order_ids``: whether a stored line of
    these orders has any of ``amounts``, asked only if one of the scopes is stored.
    """

    scopes: tuple[str, ...]
    order_ids: tuple[str, ...]
    amounts: tuple[str, ...]


@dataclass
class EmptyScopes:
    """The scopes that were empty before the file. Nobody else writes into them while the loader has its lock."""

    _empty: set[str] = field(default_factory=set)

    def ask(self, rows: pl.DataFrame, amounts: Iterable[str]) -> Asked | None:
        """What is to be asked of a batch; None where the answer is known to be no."""
        names = sorted(amounts)
        if not names:
            return None
        beginnings = rows["record_key"].str.slice(0, SCOPE_DIGITS)
        scopes = [scope for scope in beginnings.unique().sort() if scope not in self._empty]
        if not scopes:
            return None
        saying = rows.filter(beginnings.is_in(scopes), pl.any_horizontal(pl.col(names).is_not_null()))
        return Asked(tuple(scopes), tuple(saying["order_id"].drop_nulls().unique()), tuple(names))

    def learn(self, asked: Asked | None, stored: Collection[str]) -> None:
        """Remember which of the scopes asked for are not ``stored``. To be told before the batch is written."""
        if asked is not None:
            self._empty.update(set(asked.scopes) - set(stored))
