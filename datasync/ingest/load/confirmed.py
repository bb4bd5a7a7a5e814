"""What newer exports have confirmed, so that an older one that arrives late does not overwrite it."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
from django.db.models import Q

from datasync.ingest.hashes import halves
from datasync.ingest.plan import Plan
from datasync.models import ConfirmedRows


class Confirmed:
    """Keys of rows that exports collected after this file repeated unchanged: 16 bytes a key, read once."""

    def __init__(self, plan: Plan, *, using: str) -> None:
        scope = plan.scope
        found = ConfirmedRows.objects.using(using).filter(
            platform_id=scope.platform,
            domain=str(scope.domain),
            sub_domain=scope.sub_domain,
            granularity=scope.granularity,
            collected_at__gt=scope.collected_at,
        )
        if scope.shop_id is not None:  # a file without a shop of its own may have confirmed rows of any
            found = found.filter(Q(shop_id=scope.shop_id) | Q(shop_id=None))
        self._files = [halves_of(block) for block in found.exclude(file_id=plan.file_id).values_list("keys", flat=True)]

    def holds(self, keys: pl.Series) -> pl.Series:
        """Which of these keys were confirmed."""
        asked = halves(keys).with_row_index("at")
        held = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(keys))
        for confirmed in self._files:
            held = held.scatter(confirmed.join(asked, on=["high", "low"])["at"], True)
        return held


def halves_of(block: bytes | memoryview) -> pl.DataFrame:
    """Joined keys of 16 bytes as two 64-bit numbers each."""
    keys = np.frombuffer(block, dtype=">u8").reshape(-1, 2).astype("u8")
    return pl.DataFrame({"high": keys[:, 0], "low": keys[:, 1]})


def save_confirmed(plan: Plan, keys: list[pl.Series], *, using: str, collected_at: datetime) -> None:
    """Keep the rows that this file has confirmed; what it confirmed at an earlier sync is replaced."""
    joined = pl.concat(keys).sort()
    ConfirmedRows.objects.using(using).update_or_create(
        file_id=plan.file_id,
        defaults={
            "platform_id": plan.scope.platform,
            "shop_id": plan.scope.shop_id,
            "domain": str(plan.scope.domain),
            "sub_domain": plan.scope.sub_domain,
            "granularity": plan.scope.granularity,
            "collected_at": collected_at,
            "keys": bytes.fromhex("".join(joined.to_list())),
        },
    )


def forget_confirmed(plan: Plan, *, using: str) -> None:
    """Drop what this file has confirmed at an earlier sync."""
    ConfirmedRows.objects.using(using).filter(file_id=plan.file_id).delete()
