"""Rows of one file that people decide on, and what a release leaves, for tests of the syncs after it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from datasync.choices import QUARANTINE_UNDECIDED, QuarantineState
from datasync.fields import Domain
from datasync.ingest.load import loader_for
from datasync.ingest.load.read_only import read_only
from datasync.ingest.pipeline import IngestResult, ingest
from datasync.ingest.plan import Plan
from datasync.ingest.prepare import Preparer
from datasync.ingest.prepare.context import corrected as with_corrections
from datasync.ingest.rehearse import rehearse
from datasync.models import CatalogFile, HeaderSet, OrderLine, Platform, QuarantinedRow, Shop
from tests.sheets import COLLECTED, ListSheet, Row, make_plan

FIELDS = ("order_id", "sku", "ordered_at", "buyer_name", "profit")
DAY, NO_DAY = "2026-03-02 10:00:00", "31/02/2026"


class Desk:
    """One file of one shop, synced again and again; each sync is foretold by a rehearsal."""

    def __init__(self) -> None:
        Platform.objects.create(code="shopee", name="Shopee")
        shop = Shop.objects.create(platform_id="shopee", shop_id="sg")
        header = HeaderSet.objects.create(digest="d", headers=list(FIELDS))
        file = CatalogFile.objects.create(root="r", storage_name="1.csv", original_name="x", size=1,
                                          modified_at=COLLECTED, sha256="1", content_sha256="content")  # fmt: skip
        self.plan: Plan = make_plan(Domain.ORDERS, FIELDS, identity=("order_id", "sku"), required=("order_id",),
                                    ordinal=True, file_id=file.pk, header_set_id=header.pk,
                                    shop_id=shop.pk)  # fmt: skip

    def sync(self, rows: Sequence[Row], *, size: int = 1000, **options: Any) -> IngestResult:
        return self.sync_sheet(ListSheet(FIELDS, rows, size=size), **options)

    def sync_sheet(self, sheet: ListSheet, **options: Any) -> IngestResult:
        said = {"item_id": None, "template_id": None, "allow_quarantine": True, "before_commit": lambda result: None}
        with read_only():
            foretold = rehearse(sheet=sheet, plan=self.plan, allow_quarantine=True)
        result = ingest(sheet=sheet, plan=self.plan, **{**said, **options})
        assert result.counts.balanced
        assert (foretold.counts, list(foretold.warnings)) == (result.counts, result.warnings)
        assert foretold.rejected_by_reason == result.rejected_by_reason
        return result


def decide(sheet_row: int, state: QuarantineState) -> None:
    QuarantinedRow.objects.filter(sheet_row=sheet_row, state=QuarantineState.OPEN).update(state=state)


def release(
    desk: Desk, sheet_row: int, cells: dict[int, str | None], *, ordinal: int | None = None, carrier: bool = False
) -> str:
    """Load the row with these cells and keep what a release keeps; gives its key. ``ordinal``: else its own."""
    row = QuarantinedRow.objects.get(sheet_row=sheet_row, state__in=QUARANTINE_UNDECIDED)
    said = json.loads(with_corrections(row.context, cells) or "{}")
    if carrier:
        said.pop("l", None)
    number = ordinal or said.get("o", 1)
    values = [cells.get(at, value) for at, value in enumerate(row.values)]
    frame = pl.DataFrame([values], schema={f"c{at}": pl.String for at in range(len(values))}, orient="row")
    frame = frame.with_columns(pl.Series("row", [sheet_row], dtype=pl.UInt32), context=pl.lit(json.dumps(said)),
                               line_ordinal=pl.lit(number))  # fmt: skip
    prepared = Preparer(desk.plan).prepare_stored(frame, fill=False)
    rows = prepared.rows
    assert len(rows) == 1, prepared.rejected
    loader = loader_for(desk.plan)
    with loader.transaction():
        loader.begin()
        loader.load(rows)
        loader.finish()
    said |= {"o": number, "i": rows["identity"][0]} if desk.plan.ordinal else {}
    key = str(rows["record_key"][0])
    QuarantinedRow.objects.filter(pk=row.pk).update(
        state=QuarantineState.RELEASED, corrected={str(at): text for at, text in cells.items()},
        context=json.dumps(said) if said else None, record_key=key, outcome="inserted",
    )  # fmt: skip
    return key


def said(result: IngestResult) -> dict[str, int]:
    """The counts that are not zero."""
    return {name: count for name, count in result.counts.as_dict().items() if count}


def facts() -> list[tuple[Any, ...]]:
    columns = ("sheet_row", "order_id", "sku", "line_ordinal", "buyer_name", "profit", "record_key", "content_hash")
    return sorted(OrderLine.objects.values_list(*columns))
