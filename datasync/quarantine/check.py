"""What the current template says of quarantined rows: typed again from their cells, without the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from datasync.ingest.plan import CellProblem, Plan, RejectedRow
from datasync.ingest.prepare import Prepared, Preparer
from datasync.ingest.prepare.context import line_of
from datasync.ingest.prepare.judge import READER_REASONS
from datasync.mapping.cleared import cleared_now
from datasync.mapping.services import SyncOptions, bind_kept
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quarantine.contexts import contexts_of
from datasync.quarantine.values import corrections, current, original
from datasync.reasons import Reason


def plan_for(file: CatalogFile, row: QuarantinedRow) -> tuple[Plan, int | None]:
    """The plan by which a row of the file would be read today, and the id of its template.

    A row that was read by a suggested mapping may be so again. Raises ``TemplateError`` where no template fits the
    row's header any more, ``UnsureMapping`` where the mapping would have to be guessed, ``NeedsDescription`` where the
    file's description has become too thin.
    """
    header = row.header_set.headers
    plan, template_id = bind_kept(file, header, SyncOptions(only_with_template=row.template_id is not None))
    return replace(plan, cleared=cleared_now(file, header, plan, template_id=template_id)), template_id


def prepare(rows: Sequence[QuarantinedRow], plan: Plan) -> Prepared:
    """The rows, which share a header, with their corrections: typed, identified and judged."""
    lines = [line_of(row.context) for row in rows]
    contexts, ordinals = contexts_of(rows, plan), [line[0] if line else None for line in lines]
    return prepare_as(rows, plan, contexts=contexts, ordinals=ordinals)


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
    problems = tuple(problem for row in rows for problem in _problems(row))
    return Preparer(plan).prepare_stored(frame, fill=False, problems=problems)


def reasons_of(rejected: RejectedRow) -> list[dict[str, Any]]:
    """Why a row is rejected, as quarantined rows keep it; a NUL, which no database keeps, shows as U+FFFD."""
    return [
        {"header": header, "code": str(code), "value": value.replace("\0", "\ufffd")}
        for header, code, value in rejected.reasons
    ]


def unsettled(row: QuarantinedRow) -> list[tuple[dict[str, Any], list[int]]]:
    """What only the reader could see of the row and no person has dealt with, and the columns that it is about.

    A problem of a cell is settled by a correction of that cell, one of the whole row (no columns) by any correction. Of
    equal headers it is the one whose cell holds what the reason says; where that is not clear, all of them.
    """
    given = corrections(row)
    found = []
    for reason in row.reasons:
        if reason["code"] in READER_REASONS:
            columns = _columns_of(reason, row)
            if not (all(at in given for at in columns) if columns else given):
                found.append((reason, columns))
    return found


def _columns_of(reason: Mapping[str, Any], row: QuarantinedRow) -> list[int]:
    columns = [at for at, name in enumerate(row.header_set.headers) if reason["header"] and name == reason["header"]]
    if len(columns) < 2:
        return columns
    cells, said = original(row), str(reason["value"] or "")
    return [at for at in columns if said and (cells[at] or "").startswith(said)] or columns


def _problems(row: QuarantinedRow) -> list[CellProblem]:
    return [
        CellProblem(row.sheet_row, columns[0] if columns else None, Reason(reason["code"]), reason["value"])
        for reason, columns in unsettled(row)
    ]
