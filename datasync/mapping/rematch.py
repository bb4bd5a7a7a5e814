"""Offer a newly published template to the files that waited for one."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from datasync.choices import FileState
from datasync.mapping.match import Outcome, match
from datasync.mapping.store import family_of, to_template
from datasync.mapping.template import Family
from datasync.models import CatalogFile, HeaderTemplate

_WAITING = Q(state=FileState.TEMPLATE_UPDATE_REQUIRED) | (
    Q(state=FileState.PENDING) & (Q(template__isnull=True) | Q(match__outcome=Outcome.BLOCKED.value))
)


def rematch_waiting_files(row: HeaderTemplate) -> int:
    """Give the template to files of its family that had none, or none that fitted; says to how many.

    They are pending from then on. Their stored header decides, so no file is read; a sync checks it again.
    """
    template = to_template(row)
    count = 0
    for file in _files_of(family_of(row)).filter(_WAITING).only("pk", "header").iterator(chunk_size=200):
        found = match(file.header, [template])
        if found.outcome.syncable:
            free = CatalogFile.objects.filter(_WAITING, pk=file.pk)
            count += free.update(
                template=row,
                match=found.as_dict() | {"template_id": row.pk},
                suggestion={},
                state=FileState.PENDING,
                last_error={},
            )
    return count


def _files_of(family: Family) -> QuerySet[CatalogFile]:
    return CatalogFile.objects.filter(
        platform_id=family.platform,
        source_platform_id=family.source_platform,
        domain=family.domain.value,
        sub_domain=family.sub_domain,
        granularity=family.granularity,
    ).exclude(header=[])
