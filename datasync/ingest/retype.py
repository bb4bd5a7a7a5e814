"""Stored rows typed again, compared with what is stored: who stays, who changes, who gets another key.

A frame of stored rows has ``row`` (UInt32, as the spreadsheet shows it), ``record_key`` and ``content_hash`` (32
hexadecimal digits), ``raw``, ``context``, ``line_ordinal`` and ``own`` (whether the file was also the first that
brought the row).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from datasync.ingest.plan import Plan, RejectedRow
from datasync.ingest.prepare import Preparer
from datasync.ingest.prepare.stored import stored_cells
from datasync.reasons import Reason


@dataclass(frozen=True, slots=True)
class Retyped:
    """What stored rows are under a plan. Every row is in exactly one of the parts.

    ``changed`` and ``moved`` have the columns of ``Prepared.rows``, and ``old_key`` and ``own`` of the stored row;
    ``moved`` are those whose key is another one now, no key twice. ``repeated`` are the keys of stored rows that are
    the same row as a later one now; ``refused`` those of stored rows that the plan cannot read, in the order of
    ``rejected``. ``accepted`` has a line for each row that it can read: ``at``, its position among those given,
    ``record_key``, ``identity`` and ``context`` as they are now, and whether it is ``unchanged``.
    """

    unchanged: int
    changed: pl.DataFrame
    moved: pl.DataFrame
    repeated: list[str]
    rejected: list[RejectedRow]
    refused: list[str]
    accepted: pl.DataFrame


def retyped(stored: pl.DataFrame, preparer: Preparer, *, settled: Collection[int] = ()) -> Retyped:
    """Type stored rows of one header again. The rows of a file come in sheet order, and always to the same preparer.

    Where lines are numbered a key that would change cannot be trusted: the number was counted under the old identity.
    """
    plan = preparer.plan
    cells = stored_cells(stored["raw"], width=len(plan.columns))
    told = stored.select("row", "context", "line_ordinal")
    prepared = preparer.prepare_stored(pl.concat([told, cells], how="horizontal"), fill=True, settled=settled)
    known = stored.select(
        pl.col("record_key").alias("old_key"), pl.col("content_hash").alias("old_hash"), "own"
    ).with_row_index("at")
    rows = prepared.rows.join(known, on="at", how="left", maintain_order="left")
    rejected = list(prepared.rejected)
    stays = rows["record_key"] == rows["old_key"]
    if plan.ordinal and not stays.all():
        rejected += [_renamed(stored, at, plan) for at in rows.filter(~stays)["at"]]
        rows = rows.filter(stays)
    last = rows.unique(subset="record_key", keep="last", maintain_order=True)
    repeated = rows.join(last, on="at", how="anti")["old_key"].to_list() if len(last) < len(rows) else []
    same_key = pl.col("record_key") == pl.col("old_key")
    unchanged = same_key & (pl.col("content_hash") == pl.col("old_hash"))
    return Retyped(
        unchanged=last.select(unchanged.sum()).item(),
        changed=last.filter(same_key & ~unchanged),
        moved=last.filter(~same_key),
        repeated=repeated,
        rejected=rejected,
        refused=stored["record_key"].gather([row.at for row in rejected]).to_list(),
        accepted=rows.select("at", "record_key", "identity", "context", unchanged=unchanged),
    )


def _renamed(stored: pl.DataFrame, at: int, plan: Plan) -> RejectedRow:
    """A numbered line that would be another row now."""
    row = stored.row(at, named=True)
    cells = [text or None for text in json.loads(row["raw"])]
    values = tuple((cells + [None] * len(plan.columns))[: len(plan.columns)])
    reasons = (("", str(Reason.IDENTITY_CHANGED), ""),)
    return RejectedRow(row=row["row"], reasons=reasons, values=values, context=row["context"], at=at)
