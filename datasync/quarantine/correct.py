"""Corrections: what the cells of a quarantined row should have held. Nothing is loaded by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from datasync import audit
from datasync.access import Sight
from datasync.choices import QUARANTINE_DECIDED, AuditAction
from datasync.exceptions import FileNotFound, InvalidRequest, RowDecided, RowNotFound, SyncError
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quarantine import check, values
from datasync.quarantine.batches import Reached, held, on_chosen
from datasync.quarantine.selectors import Filters, one
from datasync.reasons import Reason

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Changes = Sequence[Mapping[str, object]]
_SHARED = ("column", "header", "to")


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
    *,
    row_id: int,
    given: Mapping[str, str | None],
    actor: AbstractBaseUser | None,
    sight: Sight,
    confirmed: bool = False,
    dry_run: bool = False,
) -> Corrected:
    """Say what cells of one row should hold, by header or by place (``#3``); None or blank is a blank cell.

    ``confirmed``: what only the reader of the file doubted is right as it stands. Raises ``RowNotFound``,
    ``RowDecided``, ``FileBusy``, ``RowsOfOldContent``, and ``InvalidRequest`` for columns that are not there.
    """
    row = one(row_id, sight=sight)
    wanted = values.positions(row.header_set.headers, given)
    if row.state in QUARANTINE_DECIDED:
        raise RowDecided(row=row_id, state=row.get_state_display())
    try:
        with held(row.file_id, [row_id], sight=sight) as (file, rows):
            if not rows:
                raise RowDecided(row=row_id, state=one(row_id, sight=sight).get_state_display())
            changes = values.correct_cells(rows[0], wanted)
            if confirmed:
                changes += _confirm(rows[0])
            if changes and not dry_run:
                save(file, rows, changes, actor=actor)
            reasons, hindrance = _judged(file, rows[0])
    except FileNotFound:
        raise RowNotFound(what=row_id) from None
    row.corrected, row.state = rows[0].corrected, rows[0].state
    return Corrected(row, len(changes), reasons, hindrance)


def correct_many(
    *,
    filters: Filters,
    header: str,
    replacement: str | None,
    actor: AbstractBaseUser | None,
    sight: Sight,
    code: str = "",
    value: str | None = None,
    dry_run: bool = False,
) -> CorrectedMany:
    """One correction for all rows with the same problem: ``replacement`` in the column of that name.

    ``code``: only rows that this reason stands on, in this column or on the row as a whole. ``value``: only rows whose
    cell holds this text now. Rows of files without such a column are skipped and counted; raises ``InvalidRequest``
    when none of the rows has it. A file with several columns of that name is refused.
    """
    if code and code not in set(Reason):
        raise InvalidRequest(detail=_("There is no reason %(code)s.") % {"code": code})
    text, result = values.clean(replacement, name=header), CorrectedMany()
    matching = None if value is None else (value.strip() or None)
    with_column = 0

    def act(file: CatalogFile, rows: list[QuarantinedRow]) -> Callable[[], None]:
        touched, changes, unchanged, having = [], [], 0, 0
        for row in rows:
            position = values.find_column(row.header_set.headers, header)
            having += position is not None
            other = position is not None and value is not None and values.current(row)[position] != matching
            if position is None or other or not _has_reason(row, row.header_set.headers[position], code):
                continue
            if change := values.correct_cells(row, {position: text}):
                touched.append(row)
                changes += change
            else:
                unchanged += 1
        save(file, touched, changes, actor=actor)

        def count() -> None:
            nonlocal with_column
            with_column += having
            result.corrected += len(touched)
            result.unchanged += unchanged
            result.skipped += len(rows) - len(touched) - unchanged

        return count

    result.reached = on_chosen(filters, act, sight=sight, dry_run=dry_run)
    if result.skipped and not with_column and not result.reached.refused:
        raise values.no_such_column(header)
    return result


def confirm_many(
    *, filters: Filters, actor: AbstractBaseUser | None, sight: Sight, dry_run: bool = False
) -> CorrectedMany:
    """Say that rows are right as they stand where only the reader of the file doubted them.

    A row without such a doubt is left, and counts as unchanged: what its cells say is judged at the release.
    """
    result = CorrectedMany()

    def act(file: CatalogFile, rows: list[QuarantinedRow]) -> Callable[[], None]:
        touched, changes = [], []
        for row in rows:
            if change := _confirm(row):
                touched.append(row)
                changes += change
        save(file, touched, changes, actor=actor)

        def count() -> None:
            result.corrected += len(touched)
            result.unchanged += len(rows) - len(touched)

        return count

    result.reached = on_chosen(filters, act, sight=sight, dry_run=dry_run)
    return result


def save(
    file: CatalogFile, rows: Sequence[QuarantinedRow], changes: Changes, *, actor: AbstractBaseUser | None
) -> None:
    """Write corrected rows of one file, and the audit of it; what all the changes have in common stands there once."""
    if not rows:
        return
    QuarantinedRow.objects.bulk_update(rows, ("corrected", "state"), batch_size=200)
    shared: dict[str, object] = {}
    if len(changes) > 1:
        shared = {name: changes[0][name] for name in _SHARED if len({change[name] for change in changes}) == 1}
    audit.record(
        AuditAction.ROWS_CORRECTED,
        actor=actor,
        file=file,
        rows=len(rows),
        detail={
            "sheet_rows": [row.sheet_row for row in rows],
            "shared": shared,
            "changes": [{name: value for name, value in change.items() if name not in shared} for change in changes],
        },
    )


def _confirm(row: QuarantinedRow) -> list[dict[str, object]]:
    """Let stand what only the reader doubted; for a problem of the whole row the first cell speaks for it."""
    places = {at for _reason, columns in check.unsettled(row) for at in columns or (0,)}
    return values.confirm_cells(row, sorted(places))


def _judged(file: CatalogFile, row: QuarantinedRow) -> tuple[list[dict[str, Any]], SyncError | None]:
    try:
        plan, _template_id = check.plan_for(file, row)
        rejected = check.prepare([row], plan).rejected
    except SyncError as error:
        return row.reasons, error
    return (check.reasons_of(rejected[0]) if rejected else []), None


def _has_reason(row: QuarantinedRow, header: str, code: str) -> bool:
    return not code or any(reason["code"] == code and reason["header"] in {header, ""} for reason in row.reasons)
