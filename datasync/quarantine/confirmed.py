"""The keys that a file has confirmed: what a release asks of them and adds to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from datasync.ingest.hashes import halves
from datasync.ingest.load.confirmed import save_confirmed
from datasync.ingest.plan import Plan
from datasync.models import ConfirmedRows

_WIDTH = 16


def confirmed_among(keys: Sequence[str], *, file_id: int) -> set[str]:
    """Those of the keys that the file's last sync, or a release since, has confirmed."""
    block = _block(file_id)
    if not block or not keys:
        return set()
    asked = pl.DataFrame({"key": keys}).hstack(halves(pl.Series(keys)))
    held = halves(_texts(block))
    return set(asked.join(held, on=["high", "low"], how="semi")["key"])


def add_confirmed(keys: Sequence[str], *, plan: Plan) -> None:
    """Keep that the file has confirmed these rows too; what this content of it has confirmed stays."""
    if not keys:
        return
    block = _block(plan.file_id, plan.scope.collected_at)
    whole = pl.concat([_texts(block), pl.Series(keys, dtype=pl.String)]).unique()
    save_confirmed(plan, [whole], using="default", collected_at=plan.scope.collected_at)


def _block(file_id: int, collected_at: datetime | None = None) -> bytes:
    confirmed = ConfirmedRows.objects.filter(file_id=file_id)
    if collected_at is not None:
        confirmed = confirmed.filter(collected_at=collected_at)
    found = confirmed.values_list("keys", flat=True).first()
    return bytes(found) if found else b""


def _texts(block: bytes) -> pl.Series:
    text = block.hex()
    return pl.Series([text[at : at + 2 * _WIDTH] for at in range(0, len(text), 2 * _WIDTH)], dtype=pl.String)
