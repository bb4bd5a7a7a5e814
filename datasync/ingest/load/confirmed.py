"""What newer exports have confirmed, so that an older one that arrives late does not overwrite it."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from datasync.ingest.plan import Plan
from datasync.models import ConfirmedRows


def confirmed_since(plan: Plan, *, using: str) -> pl.Series:
    """Keys of rows that exports collected after this file repeated unchanged."""
    scope = plan.scope
    found = (
        ConfirmedRows.objects.using(using)
        .filter(
            platform_id=scope.platform,
            domain=str(scope.domain),
            sub_domain=scope.sub_domain,
            granularity=scope.granularity,
            collected_at__gt=scope.collected_at,
        )
        .exclude(file_id=plan.file_id)
        .values_list("keys", flat=True)
    )
    keys = [bytes(block)[start : start + 16].hex() for block in found for start in range(0, len(block), 16)]
    return pl.Series("record_key", keys, dtype=pl.String)


def save_confirmed(plan: Plan, keys: list[pl.Series], *, using: str, collected_at: datetime) -> None:
    """Keep the rows that this file has confirmed; what it confirmed at an earlier sync is replaced."""
    joined = pl.concat(keys).sort()
    ConfirmedRows.objects.using(using).update_or_create(
        file_id=plan.file_id,
        defaults={
            "platform_id": plan.scope.platform,
            "domain": str(plan.scope.domain),
            "sub_domain": plan.scope.sub_domain,
            "granularity": plan.scope.granularity,
            "collected_at": collected_at,
            "keys": bytes.fromhex("".join(joined.to_list())),
        },
    )
