"""Small sheets and plans made by hand, for tests of what happens after reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from datasync.fields import FIELDS, Domain
from datasync.ingest.plan import Batch, CellProblem, Column, FileFormat, Plan, Scope, SheetInfo
from datasync.ingest.prepare import Prepared, Preparer

Row = Sequence[str | None]
COLLECTED = datetime(2026, 4, 1, 8, tzinfo=UTC)


class ListSheet:
    """A sheet whose rows are given; ``size`` rows a batch. The first data row is row 2 of the spreadsheet.

    ``numbers`` says for columns which of the rows have a number cell in a workbook.
    """

    def __init__(
        self,
        header: Sequence[str],
        rows: Sequence[Row],
        *,
        size: int = 1000,
        problems: Sequence[CellProblem] = (),
        numbers: Mapping[str, Sequence[bool]] | None = None,
    ) -> None:
        self.info = SheetInfo(FileFormat.CSV, "", tuple(header))
        self.rows = list(rows)
        self.size = size
        self.problems = tuple(problems)
        self.numbers = numbers or {}

    def cancel(self) -> None:
        """Nobody ever waits for this sheet."""

    def __iter__(self) -> Iterator[Batch]:
        names = [f"c{position}" for position in range(len(self.info.header))]
        for start in range(0, len(self.rows), self.size):
            part = self.rows[start : start + self.size]
            frame = pl.DataFrame(part, schema=dict.fromkeys(names, pl.String), orient="row")
            numbers = pl.Series("row", range(start + 2, start + 2 + len(part)), dtype=pl.UInt32)
            marks = {name: pl.Series(mask[start : start + self.size]) for name, mask in self.numbers.items()}
            yield Batch(frame.insert_column(0, numbers), self.problems, marks)


def make_plan(
    domain: Domain,
    fields: Sequence[str],
    *,
    identity: Sequence[str],
    file_id: int = 1,
    header_set_id: int = 1,
    shop_id: int | None = 1,
    required: Sequence[str] = (),
    formats: str = "auto",
    ordinal: bool = False,
    **scope: Any,
) -> Plan:
    """A plan whose columns are named after the fields they feed; a field of "" is kept in the original row only."""
    known = FIELDS[domain]
    columns = tuple(
        Column(
            position=position,
            header=name or f"extra {position}",
            field=name or None,
            kind=known[name].kind if name else Column(0, "").kind,
            format=formats,
            required=name in required,
            fill_down=bool(name) and known[name].fill_down,
            order_level=bool(name) and known[name].order_level,
        )
        for position, name in enumerate(fields)
    )
    said = Scope(
        platform="shopee",
        shop_id=shop_id,
        domain=domain,
        sub_domain="",
        granularity="daily",
        period_start=date(2026, 3, 1),
        period_end=date(2026, 3, 31),
        collected_at=COLLECTED,
        currency="SGD",
        timezone="Asia/Singapore",
    )
    return Plan(
        file_id=file_id,
        scope=replace(said, **scope),
        columns=columns,
        identity=tuple(identity),
        header_set_id=header_set_id,
        fingerprint="test",
        ordinal=ordinal,
    )


def prepare(plan: Plan, rows: Sequence[Row], *, size: int = 1000, problems: Sequence[CellProblem] = ()) -> Prepared:
    """All batches of a sheet as one."""
    header = [column.header for column in plan.columns]
    parts = list(Preparer(plan).parts(ListSheet(header, rows, size=size, problems=problems)))
    return Prepared(
        rows=pl.concat(part.rows for part in parts),
        rejected=[row for part in parts for row in part.rejected],
        read=sum(part.read for part in parts),
        totals=sum(part.totals for part in parts),
    )


def reasons(prepared: Prepared) -> dict[int, set[tuple[str, str]]]:
    """Header and reason of each refused row, by its number in the spreadsheet."""
    return {row.row: {(header, code) for header, code, _ in row.reasons} for row in prepared.rejected}
