"""Ask for archives, look at them, download them, remove what has expired."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone

from datasync.access import Sight
from datasync.catalog.impact import chosen_ids, none_found
from datasync.catalog.selectors import present_files
from datasync.choices import EXPORT_UNFINISHED, ExportKind, ExportState
from datasync.exceptions import TooLarge
from datasync.exports import storage
from datasync.exports.exceptions import ExportInterrupted, ExportNotFound, LinkExpired
from datasync.models import CatalogFile, ExportArchive
from erp.publishing import ring_for

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

logger = logging.getLogger(__name__)
BACKGROUND_TASK = "tasks.file.export_file"
MOST_ATTEMPTS = 3
_SALT = "datasync.exports"
_NAMED = 3
"""What a link names: the archive, its storage name, and the person who was given it."""
_UNCLAIMED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Requested:
    """An archive that was asked for, and the ids that are no file's."""

    archive: ExportArchive
    missing_file_ids: tuple[int, ...]


def request_export(
    *, file_ids: Sequence[int], what: ExportKind, owner: AbstractBaseUser | None, sight: Sight, here: bool = False
) -> Requested:
    """Have an archive of files made in the background, unless ``here``: then the caller makes it.

    Raises ``WrongNumberOfFiles``, ``DataNotFound`` when none of the files exists, and ``TooLarge`` for originals that
    are more together than an archive may hold.
    """
    wanted = chosen_ids(file_ids)
    files = present_files(sight=sight).filter(pk__in=wanted)
    found = set(files.values_list("pk", flat=True))
    if not found:
        raise none_found(wanted)
    if what == ExportKind.ORIGINALS:
        size = files.aggregate(size=Sum("size"))["size"]
        if size > settings.EXPORT_MOST_BYTES:
            raise TooLarge(found=f"{size:,} bytes", limit=f"{settings.EXPORT_MOST_BYTES:,} bytes")
    chosen = [pk for pk in wanted if pk in found]
    archive = ExportArchive.objects.create(owner_id=owner.pk if owner else None, what=what, file_ids=chosen)
    if not here:
        transaction.on_commit(partial(ring_for, BACKGROUND_TASK, archive.pk))
    return Requested(archive, tuple(pk for pk in wanted if pk not in found))


def exports_visible_to(user: AbstractBaseUser) -> QuerySet[ExportArchive]:
    """A person's own archives; everybody's for staff.

    For whoever is limited to shops own ones, of files in sight, that were made when no more was in sight than is now.
    """
    return _visible_to(user, ExportArchive.objects.all())


def _visible_to(user: AbstractBaseUser, archives: QuerySet[ExportArchive]) -> QuerySet[ExportArchive]:
    found, sight = archives.select_related("owner"), Sight.of(user)
    if getattr(user, "is_staff", False) and not sight.limited:
        return found
    own = found.filter(owner_id=user.pk)
    return own.filter(pk__in=_within(own, sight)) if sight.limited else own


def _within(archives: QuerySet[ExportArchive], sight: Sight) -> list[int]:
    """Those of the archives all of whose files are in sight, and that hold rows of no shop that is not."""
    known = archives.order_by().values_list("pk", "file_ids", "state", "seen_shops")
    named = {pk: file_ids for pk, file_ids, state, seen in known if state != ExportState.READY or _covers(sight, seen)}
    asked = {file_id for file_ids in named.values() for file_id in file_ids}
    seen = set(CatalogFile.objects.filter(sight.files(), pk__in=asked).values_list("pk", flat=True))
    return [pk for pk, file_ids in named.items() if seen.issuperset(file_ids)]


def _covers(sight: Sight, shop_ids: list[int] | None) -> bool:
    """Whether rows of these shops, None: of all, are in sight."""
    return sight.shop_ids is None or (shop_ids is not None and sight.shop_ids.issuperset(shop_ids))


def export_for(user: AbstractBaseUser, export_id: int) -> ExportArchive:
    """The archive as it stands now; one whose maker died is made again. Raises ``ExportNotFound``."""
    archive = _visible_to(user, ExportArchive.objects.filter(pk=export_id)).first()
    if archive is None:
        raise ExportNotFound(what=export_id)
    if archive.state in EXPORT_UNFINISHED and take_up_again(ExportArchive.objects.filter(pk=archive.pk)):
        archive.refresh_from_db()
    return archive


def download_url(archive: ExportArchive, *, person_id: int) -> str | None:
    """The link of a ready archive that this person is given.

    It needs no sign-in, holds for ``EXPORT_URL_HOURS``, and goes with the archive or the person's right to see it.
    """
    if archive.state != ExportState.READY:
        return None
    token = signing.dumps([archive.pk, archive.storage_name, person_id], salt=_SALT)
    return f"{reverse('export-download', args=(archive.pk,))}?{urlencode({'token': token})}"


@dataclass(frozen=True, slots=True)
class Download:
    """An archive on its way out: where it lies, and under which name it goes."""

    path: Path
    name: str


def download(export_id: int, token: str) -> Download:
    """The archive that the link is for, whoever holds it, as long as the person who was given it may see the archive.

    The signature is looked at (Django compares it in constant time) before anything is read. Raises ``LinkExpired``:
    also for a link that was made up, or whose archive is gone.
    """
    try:
        named = signing.loads(token, salt=_SALT, max_age=settings.EXPORT_URL_HOURS * 3600)
    except signing.BadSignature:  # an expired one is one too
        raise LinkExpired from None
    if not isinstance(named, list) or len(named) != _NAMED or named[0] != export_id:
        raise LinkExpired
    _id, storage_name, person_id = named
    person = get_user_model().objects.filter(pk=person_id, is_active=True).first()
    if person is None:
        raise LinkExpired
    ready = ExportArchive.objects.filter(
        pk=export_id, state=ExportState.READY, storage_name=storage_name, expires_at__gt=timezone.now()
    )
    archive = _visible_to(person, ready).first()
    if archive is None or not (path := storage.path_of(archive.storage_name)).is_file():
        raise LinkExpired
    return Download(path, file_name(archive))


def file_name(archive: ExportArchive) -> str:
    """Under which name an archive is saved."""
    return f"{archive.what}-{archive.created_at:%Y%m%d-%H%M%S}.zip"


def take_up_again(archives: QuerySet[ExportArchive] | None = None) -> int:
    """Ring again for archives whose message was lost or whose maker died; one that died too often has failed."""
    now, pause = timezone.now(), timedelta(seconds=_UNCLAIMED_SECONDS)
    lost = Q(state=ExportState.QUEUED, lease_until__lt=now)
    lost |= Q(state=ExportState.QUEUED, lease_until=None, created_at__lt=now - pause)
    died = Q(state=ExportState.RUNNING, lease_until__lt=now)
    waiting = (ExportArchive.objects.all() if archives is None else archives).filter(lost | died)
    error = ExportInterrupted(attempts=MOST_ATTEMPTS).document
    taken = waiting.filter(died, attempt__gte=MOST_ATTEMPTS).update(
        state=ExportState.FAILED, error=error, finished_at=now, lease_until=None
    )
    for pk in list(waiting.values_list("pk", flat=True)):
        if waiting.filter(pk=pk).update(state=ExportState.QUEUED, lease_until=now + pause):
            ring_for(BACKGROUND_TASK, pk)
            taken += 1
    return taken


def clean_exports() -> int:
    """Remove archives that have expired, and what killed processes left; says how many archives."""
    expired = ExportArchive.objects.filter(state=ExportState.READY, expires_at__lt=timezone.now())
    count = 0
    for pk, name in list(expired.values_list("pk", "storage_name")):
        storage.remove(name)
        count += ExportArchive.objects.filter(pk=pk, state=ExportState.READY).update(state=ExportState.EXPIRED)
    kept = ExportArchive.objects.filter(state=ExportState.READY).values_list("storage_name", flat=True)
    storage.remove_leftovers(set(kept))
    return count
