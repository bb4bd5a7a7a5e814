"""Stored rows that their template cannot read: kept as facts, and shown in quarantine as a sync would show them."""

from __future__ import annotations

import json
from collections import Counter
from uuid import UUID

import polars as pl
from django.db.models.functions import Now

from datasync import audit
from datasync.choices import QUARANTINE_UNDECIDED, AuditAction, QuarantineState
from datasync.ingest.decided import fingerprint, storable
from datasync.ingest.load import Rejects
from datasync.ingest.plan import RejectedRow
from datasync.models import FACT_MODELS, CatalogFile, QuarantinedRow, SyncProgressTask
from datasync.quarantine.books import settle
from datasync.quarantine.contexts import has_all_of, with_line
from datasync.runs.remap.parts import Line, Written
from datasync.runs.remap.places import Place, place_of

_AT_ONCE = 200
_UPDATED, _UNCHANGED, _DUPLICATES = "updated", "unchanged", "duplicates"


def keep_books(file: CatalogFile, written: Written, task: SyncProgressTask, *, item_id: int) -> None:
    """Put the rejected rows of a chunk into quarantine, and release those that are read well now.

    A row that waits there already stays its sync's, with the reasons of today, and keeps what a person has corrected;
    one that a person has discarded does not come again. Another row of the same number is of another content of the
    file, and waits beside it: a refused row is a fact only until another row takes its key. A row with the same cells
    below other lines is of another content too; it stays a fact, and says nothing of the one that waits. The caller
    holds the file.
    """
    known = _known(file, written)
    undecided = {place_of(row): row for row in known if row.state in QUARANTINE_UNDECIDED}
    shown = {place_of(row) for row in known if row.state == QuarantineState.DISCARDED}
    template_id = task.options["template_id"]
    new: dict[int, tuple[Line, list[RejectedRow]]] = {}
    again: list[QuarantinedRow] = []
    for line, row, context in written.rejected:
        place = (row.row, fingerprint(row.values))
        if place in undecided:
            if has_all_of(undecided[place].context, context):
                again.append(_refused_again(undecided[place], row, template_id=template_id))
        elif place not in shown:
            shown.add(place)
            new.setdefault(id(line), (line, []))[1].append(row)
    QuarantinedRow.objects.bulk_update(again, ("reasons", "template", "context"), batch_size=_AT_ONCE)
    for line, rows in new.values():
        plan = line.stored_plan.plan
        Rejects(plan, item_id=item_id, template_id=template_id, using="default").keep(rows)
    _release(file, _read_well(file, undecided, written), task)


def _known(file: CatalogFile, written: Written) -> list[QuarantinedRow]:
    """What quarantine holds, or held, of the sheet rows of a chunk."""
    numbers = (written.first_row, written.last_row)
    rows = QuarantinedRow.objects.filter(file=file, sheet_row__range=numbers)
    return list(rows.exclude(state=QuarantineState.RELEASED))


def _refused_again(waiting: QuarantinedRow, row: RejectedRow, *, template_id: int) -> QuarantinedRow:
    waiting.reasons = [
        {"header": header, "code": code, "value": storable(value)} for header, code, value in row.reasons
    ]
    waiting.template_id, waiting.context = template_id, row.context
    return waiting


def _read_well(file: CatalogFile, undecided: dict[Place, QuarantinedRow], written: Written) -> list[QuarantinedRow]:
    """Open rows that were facts all the while and are facts that can be trusted now, with what they have become.

    Corrected ones are left: their fact does not hold what a person wants in it until that person releases them.
    """
    waiting = {place: row for place, row in undecided.items() if row.state == QuarantineState.OPEN}
    numbers = [number for number, _cells in waiting]
    found: dict[Place, QuarantinedRow] = {}
    for line, accepted in written.accepted if waiting else ():
        for read in accepted.filter(pl.col("row").is_in(numbers)).iter_rows(named=True):
            place = (read["row"], fingerprint([text or None for text in json.loads(read["raw"])]))
            row = waiting.get(place)
            if row is not None and has_all_of(row.context, read["stored_context"]):
                identified = line.stored_plan.plan.ordinal
                row.context = with_line(
                    read["context"], (read["line_ordinal"], read["identity"]) if identified else None
                )
                row.record_key = UUID(read["record_key"])
                row.outcome = _UNCHANGED if read["unchanged"] else _UPDATED
                found[place] = row
    own = _stored(file, [number for number, _cells in found])
    for (number, _cells), row in found.items():
        if (number, row.record_key) not in own:
            row.outcome = _DUPLICATES
    return list(found.values())


def _stored(file: CatalogFile, numbers: list[int]) -> set[tuple[int, UUID | None]]:
    """Sheet row and key of the facts of these sheet rows. Who is not among them has become one with another row."""
    if not numbers:
        return set()
    facts = FACT_MODELS[file.domain]._default_manager.filter(file_last_id=file.pk, sheet_row__in=numbers)  # noqa: SLF001 - of whichever model
    return set(facts.values_list("sheet_row", "record_key"))


def _release(file: CatalogFile, rows: list[QuarantinedRow], task: SyncProgressTask) -> None:
    """Take rows out of quarantine in the name of who asked for the remap; the file's books follow."""
    if not rows:
        return
    QuarantinedRow.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=QuarantineState.RELEASED,
        template_id=task.options["template_id"],
        note=task.task_id,
        decided_by_id=task.owner_id,
        decided_at=Now(),
    )
    QuarantinedRow.objects.bulk_update(rows, ("record_key", "outcome", "context"), batch_size=_AT_ONCE)
    settle(file, rows)
    audit.record(
        AuditAction.ROWS_RELEASED,
        actor=task.owner,
        file=file,
        rows=len(rows),
        note=task.task_id,
        detail={
            "sheet_rows": [row.sheet_row for row in rows],
            "outcomes": dict(Counter(row.outcome for row in rows)),
            "task_id": task.task_id,
        },
    )
