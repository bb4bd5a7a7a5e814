"""Offer a newly published template to the files that waited for one."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from datasync.choices import FileState
from datasync.mapping.match import Outcome, match
from datasync.mapping.selectors import sample_rows, stored_for
from datasync.mapping.store import Shelf, family_of, shelf
from datasync.mapping.template import Family
from datasync.mapping.undescribed import description_error
from datasync.models import CatalogFile, HeaderTemplate

_WAITING = Q(state=FileState.TEMPLATE_UPDATE_REQUIRED) | (
    Q(state__in=(FileState.PENDING, FileState.NEEDS_DESCRIPTION))
    & (Q(template__isnull=True) | Q(match__outcome=Outcome.BLOCKED.value))
)


def rematch_waiting_files(row: HeaderTemplate) -> int:
    """Give the template to files of its family that had none, or none that fitted; says to how many.

    They are pending from then on, unless their description still leaves something open. The header and the values that
    the catalogue holds decide among the family's variants, so no file is read; a sync checks the header again.
    """
    family, on = family_of(row), shelf()
    variants = [stored.template for stored in stored_for(family, on=on)]
    template = on.by_id[row.pk].template
    count = 0
    for file in _files_of(family).filter(_WAITING).iterator(chunk_size=200):
        found = match(file.header, variants, sample_rows=sample_rows(file))
        if found.template is template and found.outcome.syncable:
            count += _give(file, row, found.as_dict() | {"template_id": row.pk}, on=on)
    return count


def _give(file: CatalogFile, row: HeaderTemplate, matched: dict[str, Any], *, on: Shelf) -> int:
    file.template_id, file.match, file.suggestion = row.pk, matched, {}
    missing = description_error(file, on=on)
    return CatalogFile.objects.filter(_WAITING, pk=file.pk).update(
        template=row,
        match=matched,
        suggestion={},
        state=FileState.NEEDS_DESCRIPTION if missing else FileState.PENDING,
        last_error=missing.document if missing else {},
    )


def _files_of(family: Family) -> QuerySet[CatalogFile]:
    return CatalogFile.objects.filter(
        platform_id=family.platform,
        source_platform_id=family.source_platform,
        domain=family.domain.value,
        sub_domain=family.sub_domain,
        granularity=family.granularity,
    ).exclude(header=[])
