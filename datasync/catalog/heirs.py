"""Who else vouches for the rows of a file: newer exports that found them unchanged and are still there.

When a file is deleted with its rows, a row that a newer export confirmed is not removed but handed over to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl
from django.db.models import F, Min, Q, QuerySet
from django.db.models.functions import Length

from datasync.choices import FileState
from datasync.ingest.load.confirmed import halves_of
from datasync.models import FACT_MODELS, ConfirmedRows, Fact

_KEYS_AT_ONCE = 20_000
_HALVES = ["high", "low"]


@dataclass(frozen=True, slots=True)
class Heirs:
    """For each row that somebody vouches for the newest export that does.

    ``rows``: the halves of the key, ``owner`` and ``heir`` as ids of files. ``collected``: when each heir was.
    """

    rows: pl.DataFrame
    collected: dict[int, datetime] = field(default_factory=dict)

    @property
    def counts(self) -> dict[int, dict[int, int]]:
        """How many rows of each owner each heir would take."""
        counted: dict[int, dict[int, int]] = {}
        for owner, heir, rows in self.rows.group_by("owner", "heir").len().sort("owner", "heir").iter_rows():
            counted.setdefault(owner, {})[heir] = rows
        return counted

    def among(self, keys: Collection[UUID]) -> dict[int, list[UUID]]:
        """Those of the keys that have an heir, by the heir."""
        if self.rows.is_empty() or not keys:
            return {}
        at = halves_of(b"".join(key.bytes for key in keys)).with_row_index("at")
        found = at.join(self.rows, on=_HALVES).group_by("heir").agg("at")
        ordered = list(keys)
        return {heir: [ordered[position] for position in positions] for heir, positions in found.iter_rows()}


_HEIR_OF_A_ROW: dict[str, Any] = {"high": pl.UInt64, "low": pl.UInt64, "owner": pl.Int64, "heir": pl.Int64}
_CONFIRMED_KEY: dict[str, Any] = {
    "high": pl.UInt64,
    "low": pl.UInt64,
    "owner": pl.Int64,
    "since": pl.Datetime("us", "UTC"),
}


def nobody() -> Heirs:
    """No row has an heir. Made when asked for: Polars must not be used before a worker forks."""
    return Heirs(pl.DataFrame(schema=_HEIR_OF_A_ROW))


class Confirmations:
    """What newer exports confirmed of the rows of some files in one domain.

    Which exports may be asked is settled once, from what the rows are. Files in ``without`` go too, and so inherit
    nothing.
    """

    def __init__(self, domain: str, owners: Collection[int], *, without: Collection[int] = ()) -> None:
        self._rows: QuerySet[Fact] = QuerySet(FACT_MODELS[domain]).filter(file_last__in=owners).order_by()
        scopes = list(self._rows.values_list("platform_id", "shop_id").annotate(oldest=Min("collected_at")))
        shops = {shop for _platform, shop, _oldest in scopes}
        self._asked = (
            ConfirmedRows.objects.filter(
                Q(shop_id__in=shops - {None}) | Q(shop_id=None),
                domain=domain,
                platform_id__in={platform for platform, _shop, _oldest in scopes},
                collected_at__gt=min(oldest for _platform, _shop, oldest in scopes),
            )
            .exclude(file__state=FileState.DELETED)
            .exclude(file_id__in={*owners, *without})
            if scopes
            else ConfirmedRows.objects.none()
        )
        self._known: list[tuple[Any, ...]] = []
        self._heirs = nobody()

    def _state(self) -> list[tuple[Any, ...]]:
        """Which exports there are, and what changes with every sync or release of one."""
        found = self._asked.annotate(size=Length("keys")).order_by("pk")
        return list(found.values_list("pk", "file_id", "collected_at", "size", "file__synced_at"))

    def heirs(self) -> Heirs:
        """The newest export for each row, found anew only where an export came, went or was synced."""
        state = self._state()
        if state != self._known:
            self._heirs = self._find() if state else nobody()
            self._known = state
        return self._heirs

    def _find(self) -> Heirs:
        """Memory grows with the rows, not with the exports."""
        waiting = pl.concat([pl.DataFrame(schema=_CONFIRMED_KEY), *self._keys()])
        found, collected = [nobody().rows], {}
        for heir, at, keys in self._newest_first():
            taken = waiting.filter(pl.col("since") < at).join(halves_of(keys), on=_HALVES, how="semi")
            if taken.is_empty():
                continue
            found.append(taken.select(*_HALVES, "owner", pl.lit(heir, pl.Int64).alias("heir")))
            collected[heir] = at
            waiting = waiting.join(taken, on=_HALVES, how="anti")
            if waiting.is_empty():
                break
        return Heirs(pl.concat(found), collected)

    def _newest_first(self) -> Iterator[tuple[int, datetime, bytes | memoryview[int]]]:
        """One export at a time, because each may have millions of keys."""
        order = self._asked.order_by("-collected_at", "-file_id")
        for pk in list(order.values_list("pk", flat=True)):
            yield from ConfirmedRows.objects.filter(pk=pk).values_list("file_id", "collected_at", "keys")

    def _keys(self) -> Iterator[pl.DataFrame]:
        """The keys of the rows, with whose they are and when they were collected."""
        asked = self._rows.annotate(owner=F("file_last_id")).values_list("pk", "owner", "collected_at")
        part: list[Any] = []
        for row in asked.iterator(chunk_size=_KEYS_AT_ONCE):
            part.append(row)
            if len(part) == _KEYS_AT_ONCE:
                yield _framed(part)
                part = []
        if part:
            yield _framed(part)


def _framed(rows: list[tuple[UUID, int, datetime]]) -> pl.DataFrame:
    keys, owners, since = zip(*rows, strict=True)
    return halves_of(b"".join(key.bytes for key in keys)).with_columns(
        pl.Series("owner", owners, dtype=pl.Int64), pl.Series("since", since, dtype=pl.Datetime("us", "UTC"))
    )
