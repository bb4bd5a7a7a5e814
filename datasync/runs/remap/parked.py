"""Rows that gave their key to another row and wait for their own turn: where that never comes, they leave the facts."""

from __future__ import annotations

import json
from uuid import UUID

from django.utils import timezone

from datasync.choices import QUARANTINE_UNDECIDED
from datasync.ingest.decided import storable
from datasync.ingest.load.locks import hold_domain
from datasync.ingest.load.stored.rows import PARKED
from datasync.models import FACT_MODELS, CatalogFile, Fact, QuarantinedRow, SyncTaskFile
from datasync.reasons import Reason

_FIRST = UUID(PARKED.ljust(32, "0"))
_AT_ONCE = 1_000


def hold_facts(file: CatalogFile, item: SyncTaskFile) -> None:
    """Keep loads of the file's domain out until the transaction ends, so that nobody parks rows of it meanwhile."""
    described = item.template or file
    if described.platform_id and described.domain:
        hold_domain(described.platform_id, described.domain, wait=True)


def quarantine_parked(file: CatalogFile, item: SyncTaskFile) -> None:
    """Put what is left parked of the file into quarantine: its key is another row's, its own one is not known yet.

    Releasing the rows, or syncing the file again, makes facts of them. The caller holds the file and its domain.
    """
    domain = str((item.template or file).domain)
    model = FACT_MODELS.get(domain)
    if model is None:
        return
    parked = model._default_manager.filter(file_last_id=file.pk, record_key__gte=_FIRST)  # noqa: SLF001 - of whichever model
    waiting = QuarantinedRow.objects.filter(file=file, state__in=QUARANTINE_UNDECIDED)
    while facts := list(parked.order_by("record_key")[:_AT_ONCE]):
        known = waiting.filter(sheet_row__in=[fact.sheet_row for fact in facts]).values_list("sheet_row", flat=True)
        shown = {fact.sheet_row: fact for fact in facts}
        rows = [_row(shown[number], item, domain) for number in sorted(shown.keys() - set(known))]
        QuarantinedRow.objects.bulk_create(rows)
        parked.filter(pk__in=[fact.pk for fact in facts]).delete()


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
