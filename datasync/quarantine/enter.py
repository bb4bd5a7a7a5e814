"""The last step of a release: prepared rows go through the ordinary loader, and each is told what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import polars as pl

from datasync.ingest.load import Loader
from datasync.ingest.plan import Plan
from datasync.models import FACT_MODELS
from datasync.quarantine.confirmed import add_confirmed
from datasync.quarantine.content import Content

INSERTED, UPDATED, UNCHANGED, STALE, DUPLICATES = "inserted", "updated", "unchanged", "stale", "duplicates"
OUTCOMES = (INSERTED, UPDATED, UNCHANGED, STALE, DUPLICATES)


def enter(rows: pl.DataFrame, loader: Loader, content: Content) -> Iterator[tuple[int, UUID, str]]:
    """Load ``rows``, which have ``at``; yields position, key and outcome of each. The loader has its lock.

    Of several rows with one key, in ``rows`` or among what this content of the file has stored already, the last of the
    sheet wins, as in a sync; the others are duplicates. Numbered lines have keys of their own.
    """
    last = rows.sort("sheet_row").unique(subset="record_key", keep="last", maintain_order=True)
    own = {} if loader.plan.ordinal else _rows_of(content, last["record_key"].to_list(), loader.plan)
    places = zip(last["record_key"].to_list(), last["sheet_row"].to_list(), strict=True)
    loadable = last.filter(pl.Series([own.get(key, row) <= row for key, row in places], dtype=pl.Boolean))
    outcomes = _load(loadable, loader)
    loaded = dict(zip(loadable["record_key"].to_list(), loadable["at"].to_list(), strict=True))
    for at, key, row in rows.select("at", "record_key", "sheet_row").iter_rows():
        repeats = loaded.get(key) != at or own.get(key, row) != row
        yield at, UUID(key), DUPLICATES if repeats else outcomes[key]


def _load(rows: pl.DataFrame, loader: Loader) -> dict[str, str]:
    """Load rows with different keys; key → outcome, read from the table before and after."""
    if rows.is_empty():
        return {}
    keys: list[str] = rows["record_key"].to_list()
    before = loader.classify(rows).frame
    loader.load(rows)
    now_equal = set(loader.classify(rows).frame.filter("same")["at"])
    outcomes = dict.fromkeys(keys, INSERTED)
    confirming: list[str] = []
    for at, same, older in before.select("at", "same", "older").iter_rows():
        outcomes[keys[at]] = UNCHANGED if same else UPDATED if at in now_equal else STALE
        if same and older:
            confirming.append(keys[at])
    add_confirmed(confirming, plan=loader.plan)
    return outcomes


def _rows_of(content: Content, keys: list[str], plan: Plan) -> dict[str, int]:
    """Key → sheet row, of facts that this content of the file was the last to write."""
    facts = FACT_MODELS[plan.scope.domain]._default_manager.filter(content.facts, file_last_id=content.file_id)  # noqa: SLF001 - of whichever model
    return {key.hex: row for key, row in facts.filter(record_key__in=keys).values_list("record_key", "sheet_row")}
