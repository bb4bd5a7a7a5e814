"""Corrections: what the cells of a quarantined row should have held. Nothing is loaded by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from datasync import audit
from datasync.choices import QUARANTINE_DECIDED, AuditAction
from datasync.exceptions import InvalidRequest, RowDecided, SyncError
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quarantine import check, values
from datasync.quarantine.batches import Reached, held, on_chosen
from datasync.quarantine.selectors import Filters, one
from datasync.reasons import Reason

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True, slots=True)
class Corrected:
    """A row after a correction. ``reasons``: what is still wrong with it; ``hindrance``: why that cannot be said."""

    row: QuarantinedRow
    changed: int
    reasons: list[dict[str, Any]]
    hindrance: SyncError | None = None


@dataclass(slots=True)
class CorrectedMany:
    """How many rows one correction reached; ``skipped`` have no such column, or another value in it."""

    corrected: int = 0
    unchanged: int = 0
    skipped: int = 0
    reached: Reached = field(default_factory=Reached)


def correct(
    *, row_id: int, given: Mapping[str, str | None], actor: AbstractBaseUser | None, dry_run: bool = False
) -> Corrected:
    """Say what cells of one row should hold, by header or by place (``#3``); None or blank is a blank cell.

    Raises ``RowNotFound``, ``RowDecided``, ``FileBusy``, and ``InvalidRequest`` for columns that are not there.
    """
    row = one(row_id)
    wanted = values.positions(row.header_set.headers, given)
    if row.state in QUARANTINE_DECIDED:
        raise RowDecided(row=row_id, state=row.get_state_display())
    with held(row.file_id, [row_id]) as (file, rows):
        if not rows:
            raise RowDecided(row=row_id, state=one(row_id).get_state_display())
        changes = values.correct_cells(rows[0], wanted)
        if changes and not dry_run:
            save(file, rows, changes, actor=actor)
        reasons, hindrance = _judged(file, rows[0])
    row.corrected, row.state = rows[0].corrected, rows[0].state
    return Corrected(row, len(changes), reasons, hindrance)


def correct_many(
    *,
    filters: Filters,
    header: str,
    replacement: str | None,
    actor: AbstractBaseUser | None,
    code: str = "",
    value: str | None = None,
    dry_run: bool = False,
) -> CorrectedMany:
    """One correction for all rows with the same problem: ``replacement`` in the column of that name.

    ``code``: only rows that this reason stands on, in this column or on the row as a whole. ``value``: only rows whose
    cell holds this text now. Rows of files without such a column are skipped.
    """
    if code and code not in set(Reason):
        raise InvalidRequest(detail=_("There is no reason %(code)s.") % {"code": code})
    text, result = values.clean(replacement, name=header), CorrectedMany()
    matching = None if value is None else (value.strip() or None)

    def act(file: CatalogFile, rows: list[QuarantinedRow]) -> None:
        touched, changes = [], []
        for row in rows:
            position = _column(row, header)
            other = position is not None and value is not None and values.current(row)[position] != matching
            if position is None or other or not _has_reason(row, header, code):
                result.skipped += 1
            elif change := values.correct_cells(row, {position: text}):
                touched.append(row)
                changes += change
            else:
                result.unchanged += 1
        result.corrected += len(touched)
        save(file, touched, changes, actor=actor)

    result.reached = on_chosen(filters, act, dry_run=dry_run)
    return result


def save(
    file: CatalogFile,
    rows: Sequence[QuarantinedRow],
    changes: Sequence[Mapping[str, object]],
    *,
    actor: AbstractBaseUser | None,
) -> None:
    """Write corrected rows of one file, and the audit of it."""
    if not rows:
        return
    QuarantinedRow.objects.bulk_update(rows, ("corrected", "state"), batch_size=200)
    audit.record(
        AuditAction.ROWS_CORRECTED,
        actor=actor,
        file=file,
        rows=len(rows),
        detail={"sheet_rows": [row.sheet_row for row in rows], "changes": list(changes)},
    )


def _judged(file: CatalogFile, row: QuarantinedRow) -> tuple[list[dict[str, Any]], SyncError | None]:
    try:
        plan, _template_id = check.plan_for(file, row)
        rejected = check.prepare([row], plan).rejected
    except SyncError as error:
        return row.reasons, error
    return (check.reasons_of(rejected[0]) if rejected else []), None


def _column(row: QuarantinedRow, header: str) -> int | None:
    """The column of that name; None in a row of a file without it. ``InvalidRequest`` where there are several."""
    headers = row.header_set.headers
    if header not in headers and not header.startswith("#"):
        return None
    return values.position_of(headers, header)


def _has_reason(row: QuarantinedRow, header: str, code: str) -> bool:
    return not code or any(reason["code"] == code and reason["header"] in {header, ""} for reason in row.reasons)
