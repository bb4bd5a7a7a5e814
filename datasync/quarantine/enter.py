"""The last step of a release: prepared rows go through the ordinary loader, and each is told what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import polars as pl

from datasync.ingest.load import Loader
from datasync.ingest.load.confirmed import Confirmed
from datasync.quarantine.confirmed import add_confirmed
from datasync.quarantine.content import Content

INSERTED, UPDATED, UNCHANGED, STALE, DUPLICATES = "inserted", "updated", "unchanged", "stale", "duplicates"
OUTCOMES = (INSERTED, UPDATED, UNCHANGED, STALE, DUPLICATES)


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of the row at this position; ``gave_way``: another row of the file has its key and stays."""

    at: int
    key: UUID
    outcome: str
    gave_way: bool


def enter(rows: pl.DataFrame, loader: Loader, content: Content, *, ids: Sequence[int]) -> Iterator[Entered]:
    """Load ``rows``, which have ``at``; ``ids`` are those of the quarantined rows. The loader has its lock.

    Of several rows with one key, in ``rows`` or in this content of the file, the last of the sheet wins, as in a sync;
    of the rows that the file has written under one key all but one count as duplicates. Where one row of the sheet
    waited in two contents of the file, the one that came into quarantine last wins.
    """
    rows = rows.with_columns(pl.Series("id", [ids[at] for at in rows["at"]], dtype=pl.Int64))
    last = rows.sort("sheet_row", "id").unique(subset="record_key", keep="last", maintain_order=True)
    keys: list[str] = last["record_key"].to_list()
    places = content.places(keys, loader.plan)
    wins = [
        key not in places or (places[key].row, places[key].quarantined) <= (row, pk)
        for key, row, pk in last.select("record_key", "sheet_row", "id").iter_rows()
    ]
    loadable = last.filter(pl.Series(wins, dtype=pl.Boolean))
    outcomes = _load(loadable, loader)
    loaded = dict(zip(loadable["record_key"], loadable["at"], strict=True))
    for at, key, row in rows.select("at", "record_key", "sheet_row").iter_rows():
        gave_way = loaded.get(key) != at
        repeats = key in places and places[key].written and places[key].row != row
        yield Entered(at, UUID(key), DUPLICATES if gave_way or repeats else outcomes[key], gave_way)


def _load(rows: pl.DataFrame, loader: Loader) -> Mapping[str, str]:
    """Load rows with different keys; key → outcome, as the loader judges it."""
    if rows.is_empty():
        return {}
    keys = rows["record_key"]
    before = loader.classify(rows).frame
    late = Confirmed(loader.plan, using=loader.using).holds(keys.gather(before["at"]))
    loader.load(rows)
    after = dict(loader.classify(rows).frame.select("at", "content_hash").iter_rows())
    outcomes = dict.fromkeys(keys, INSERTED)
    confirming: list[str] = []
    known = before.select("at", "same", "newer", "older", "content_hash").iter_rows()
    for (at, same, newer, older, content_hash), confirmed in zip(known, late, strict=True):
        key = keys[at]
        if same or not (newer or confirmed):
            # A line without an amount that another one has keeps its content where nothing else of it is new.
            outcomes[key] = UNCHANGED if same or after[at] == content_hash else UPDATED
        else:
            outcomes[key] = STALE
        if older and outcomes[key] == UNCHANGED:
            confirming.append(key)
    add_confirmed(confirming, plan=loader.plan)
    return outcomes
