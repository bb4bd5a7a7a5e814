"""The content that a file has now: which facts and quarantined rows are of it, and which are of what it had before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from datasync.choices import ITEM_SUCCEEDED, TaskKind
from datasync.models import CatalogFile, QuarantinedRow, SyncTaskFile


@dataclass(frozen=True, slots=True)
class Content:
    """``since``: when the first sync of this content began; None where no sync of the file has seen another one."""

    file_id: int
    sha256: str
    since: datetime | None

    @property
    def facts(self) -> Q:
        """Facts that this content has written: its lines, as far as they were not there before."""
        if self.since is None:
            return Q(file_first_id=self.file_id) | Q(file_last_id=self.file_id)
        written = Q(file_last_id=self.file_id, updated_at__gte=self.since)
        return written | Q(file_first_id=self.file_id, created_at__gte=self.since)

    @property
    def rows(self) -> Q:
        """Quarantined rows of this content."""
        of_file = Q(file_id=self.file_id)
        return of_file if self.since is None else of_file & Q(item__file_sha256=self.sha256)


def content_of(file: CatalogFile) -> Content:
    """What the syncs of the file say of the content that it has now."""
    others, since = False, None
    for sha256, started_at in syncs_of(file).order_by("pk").values_list("file_sha256", "started_at"):
        if sha256 != file.content_sha256:
            others, since = True, None
        elif since is None:
            since = started_at
    return Content(file.pk, file.content_sha256, (since or timezone.now()) if others else None)


def syncs_of(file: CatalogFile) -> QuerySet[SyncTaskFile]:
    """The syncs of the file that ended well. A remap reads no file, so it is none."""
    items = SyncTaskFile.objects.filter(file_id=file.pk, state__in=ITEM_SUCCEEDED)
    return items.exclude(task__kind=TaskKind.REMAP)


def is_of_old_content(row: QuarantinedRow, file: CatalogFile) -> bool:
    """Whether the row, which has its ``item``, was read from a content that the file does not have any more."""
    return row.item is not None and row.item.file_sha256 != file.content_sha256
