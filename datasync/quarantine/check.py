"""What the current template says of quarantined rows: typed again from their cells, without the file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from datasync.ingest.plan import CellProblem, Plan, RejectedRow
from datasync.ingest.prepare import Prepared, Preparer
from datasync.ingest.prepare.context import corrected, line_of
from datasync.ingest.prepare.judge import READER_REASONS
from datasync.mapping.services import SyncOptions, bind_kept
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quarantine.values import corrections, current
from datasync.reasons import Reason


def plan_for(file: CatalogFile, row: QuarantinedRow) -> tuple[Plan, int | None]:
    """The plan by which a row of the file would be read today, and the id of its template.

    A row that was read by a suggested mapping may be so again. Raises ``TemplateError`` where no template fits the
    row's header any more, ``NeedsDescription`` where the file's description has become too thin.
    """
    return bind_kept(file, row.header_set.headers, SyncOptions(only_with_template=row.template_id is not None))


def prepare(rows: Sequence[QuarantinedRow], plan: Plan) -> Prepared:
    """The rows, which share a header, with their corrections: typed, identified and judged."""
    lines = [line_of(row.context) for row in rows]
    contexts, ordinals = contexts_of(rows, plan), [line[0] if line else None for line in lines]
    return prepare_as(rows, plan, contexts=contexts, ordinals=ordinals)


def contexts_of(rows: Sequence[QuarantinedRow], plan: Plan) -> list[str | None]:
    """What the rows have from those around them, as far as the corrections leave it."""
    order = {column.position for column in plan.columns if column.field in {"order_id", "shop_label"}}
    contexts: list[str | None] = []
    for row in rows:
        given = corrections(row).keys()
        context = corrected(row.context, given) if given else row.context
        contexts.append(in_another_order(context) if given & order else context)
    return contexts


def in_another_order(context: str | None) -> str | None:
    """The context of a row that was moved to another order: who comes first there is another question."""
    said = json.loads(context) if context else {}
    said.pop("l", None)
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) if said else None


def prepare_as(
    rows: Sequence[QuarantinedRow], plan: Plan, *, contexts: Sequence[str | None], ordinals: Sequence[int | None]
) -> Prepared:
    """``prepare`` with other contexts and line numbers than the rows' own."""
    width = len(plan.columns)
    frame = pl.DataFrame(
        [current(row)[:width] for row in rows], schema={f"c{at}": pl.String for at in range(width)}, orient="row"
    ).with_columns(
        pl.Series("row", [row.sheet_row for row in rows], dtype=pl.UInt32),
        pl.Series("context", contexts, dtype=pl.String),
        pl.Series("line_ordinal", ordinals, dtype=pl.Int64),
    )
    problems = tuple(problem for row in rows for problem in _unsettled(row))
    return Preparer(plan).prepare_stored(frame, fill=False, problems=problems)


def reasons_of(rejected: RejectedRow) -> list[dict[str, Any]]:
    """Why a row is rejected, as quarantined rows keep it; a NUL, which no database keeps, shows as U+FFFD."""
    return [
        {"header": header, "code": str(code), "value": value.replace("\0", "\ufffd")}
        for header, code, value in rejected.reasons
    ]


def _unsettled(row: QuarantinedRow) -> list[CellProblem]:
    """What only the reader could see of the row, and no correction has dealt with.

    A problem of one cell is settled when that cell is corrected, one of the whole row when any cell is.
    """
    headers, given = row.header_set.headers, corrections(row)
    found: list[CellProblem] = []
    for reason in row.reasons:
        if reason["code"] not in READER_REASONS:
            continue
        places = [at for at, header in enumerate(headers) if reason["header"] and header == reason["header"]]
        if given and (not places or any(at in given for at in places)):
            continue
        column = places[0] if places else None
        found.append(CellProblem(row.sheet_row, column, Reason(reason["code"]), reason["value"]))
    return found
