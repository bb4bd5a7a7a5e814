"""Stored rows that their template cannot read: kept as facts, and shown in quarantine as a sync would show them."""

from __future__ import annotations

import json

import polars as pl

from datasync.choices import QUARANTINE_UNDECIDED, QuarantineState
from datasync.ingest.decided import fingerprint, storable
from datasync.ingest.load import Rejects
from datasync.ingest.plan import RejectedRow
from datasync.models import QuarantinedRow
from datasync.runs.remap.parts import Line, Written


def keep_rejected(file_id: int, written: Written, *, item_id: int, template_id: int) -> None:
    """Put the rejected rows of a chunk into quarantine, and take out those that are read well now.

    A row that waits there already keeps what a person has corrected, and one that a person has discarded does not
    come again. Where another row of the same number waits, of other content of the file, that one stays.
    """
    known = _known(file_id, written)
    undecided = {row.sheet_row: row for row in known if row.state in QUARANTINE_UNDECIDED}
    discarded = {(row.sheet_row, fingerprint(row.values)) for row in known if row.state == QuarantineState.DISCARDED}
    new: dict[int, tuple[Line, list[RejectedRow]]] = {}
    taken: set[int] = set()  # two contents of the file may both have stored rows of one number
    for line, row in written.rejected:
        waiting = undecided.get(row.row)
        cells = fingerprint(row.values)
        if waiting is not None and fingerprint(waiting.values) == cells:
            _say_again(waiting, row, item_id=item_id, template_id=template_id)
        elif waiting is None and row.row not in taken and (row.row, cells) not in discarded:
            taken.add(row.row)
            new.setdefault(id(line), (line, []))[1].append(row)
    for line, rows in new.values():
        plan = line.stored_plan.plan
        Rejects(plan, item_id=item_id, template_id=template_id, using="default").keep(rows)
    _take_out(undecided, written)


def _known(file_id: int, written: Written) -> list[QuarantinedRow]:
    """What quarantine holds, or held, of the sheet rows of a chunk."""
    numbers = (written.first_row, written.last_row)
    rows = QuarantinedRow.objects.filter(file_id=file_id, sheet_row__range=numbers)
    return list(rows.exclude(state=QuarantineState.RELEASED))


def _say_again(waiting: QuarantinedRow, row: RejectedRow, *, item_id: int, template_id: int) -> None:
    waiting.reasons = [
        {"header": header, "code": code, "value": storable(value)} for header, code, value in row.reasons
    ]
    waiting.item_id, waiting.template_id, waiting.context = item_id, template_id, row.context
    waiting.save(update_fields=["reasons", "item", "template", "context"])


def _take_out(undecided: dict[int, QuarantinedRow], written: Written) -> None:
    """Remove rows from quarantine that were kept as facts then, and are facts that can be trusted now."""
    if not undecided:
        return
    read_well = [
        undecided[row].pk
        for part in written.accepted
        for row, raw in part.filter(pl.col("row").is_in(list(undecided))).rows()
        if fingerprint([text or None for text in json.loads(raw)]) == fingerprint(undecided[row].values)
    ]
    QuarantinedRow.objects.filter(pk__in=read_well).delete()
