"""Rows that gave their key to another row and wait for their own turn: where that never comes, they leave the facts."""

from __future__ import annotations

import json

from django.db.models import QuerySet
from django.utils import timezone

from datasync.choices import QuarantineState
from datasync.ingest.decided import storable
from datasync.ingest.load.locks import hold_domain
from datasync.models import FACT_MODELS, FIRST_PARKED, CatalogFile, Fact, QuarantinedRow, SyncTaskFile
from datasync.reasons import Reason
from datasync.runs.remap.places import Place, place_of

_AT_ONCE = 1_000


def hold_facts(file: CatalogFile, item: SyncTaskFile) -> None:
    """Keep loads of the file's domain out until the transaction ends, so that nobody parks rows of it meanwhile."""
    described = item.template or file
    if described.platform_id and described.domain:
        hold_domain(described.platform_id, described.domain, wait=True)


def quarantine_parked(file: CatalogFile, item: SyncTaskFile) -> int:
    """Put what is left parked of the file into quarantine: its key is another row's, its own one is not known yet.

    Releasing the rows, or syncing the file again, makes facts of them. Rows that wait there with the same cells, or
    that a person has discarded, stand for them; a row of the same number with other cells is of another content of
    the file. The caller holds the file and its domain. Returns how many facts there were.
    """
    domain = str((item.template or file).domain)
    model = FACT_MODELS.get(domain)
    if model is None:
        return 0
    parked: QuerySet[Fact] = QuerySet(model).filter(file_last_id=file.pk, record_key__gte=FIRST_PARKED)
    done = 0
    while facts := list(parked.order_by("record_key")[:_AT_ONCE]):
        known = _known(file, [fact.sheet_row for fact in facts])
        rows = {place_of(row): row for row in (_row(fact, item, domain) for fact in facts)}
        QuarantinedRow.objects.bulk_create(rows[place] for place in sorted(rows.keys() - known))
        parked.filter(pk__in=[fact.pk for fact in facts]).delete()
        done += len(facts)
    return done


def _known(file: CatalogFile, numbers: list[int]) -> set[Place]:
    """Which rows of these numbers wait in quarantine, or were discarded."""
    rows = QuarantinedRow.objects.filter(file=file, sheet_row__in=numbers).exclude(state=QuarantineState.RELEASED)
    return {place_of(row) for row in rows.only("sheet_row", "values")}


def _row(fact: Fact, item: SyncTaskFile, domain: str) -> QuarantinedRow:
    return QuarantinedRow(
        file_id=item.file_id,
        item=item,
        template=item.template,
        header_set_id=fact.header_set_id,
        domain=domain,
        sheet_row=fact.sheet_row,
        reasons=[{"header": "", "code": str(Reason.IDENTITY_CHANGED), "value": ""}],
        values=[storable(text) or None for text in json.loads(fact.raw)],
        context=fact.context,
        created_at=timezone.now(),
    )
