"""Files that waited for a template look again, when one is published or when somebody asks.

Header and values that the catalogue holds decide among the family's variants, and a sync checks the header again. Only
where a variant's header would stand in another place than the catalogue looked at is the file itself read, and that by
a worker or a command. Files are taken in lots, each in a transaction of its own, so that ten thousand of them need
neither much memory nor long locks, and a run that was broken off is simply done again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from datasync.choices import FileState
from datasync.disk import place
from datasync.exceptions import FileError, FileMissing
from datasync.mapping.match import Outcome, match
from datasync.mapping.selectors import family_of_file, sample_rows, stored_for
from datasync.mapping.store import Shelf, Stored, family_of, shelf
from datasync.mapping.template import Family, Template
from datasync.mapping.undescribed import description_error
from datasync.models import CatalogFile, HeaderTemplate
from erp.publishing import ring_for

RECHECK_TASK = "data_processing.recheck_files"
MOST_AT_ONCE = 200
"""Files that a request looks at by itself; where more wait, a worker does it after the commit."""
_LOT = 200
_LOT_READ = 20
_SHOWN = 100

Look = Callable[[CatalogFile], None]
"""Reads a file's beginning anew into its row; raises ``FileError``."""

_WAITING = Q(state=FileState.TEMPLATE_UPDATE_REQUIRED) | (
    Q(state__in=(FileState.PENDING, FileState.NEEDS_DESCRIPTION))
    & (Q(template__isnull=True) | Q(template_fit=Outcome.BLOCKED.value))
)


@dataclass(frozen=True, slots=True)
class RecheckedFile:
    """A file that a published template fits now."""

    file_id: int
    name: str
    template_id: int
    template: str
    state: str
    """``pending``, or ``needs_description`` where something besides the template is open."""


@dataclass(slots=True)
class Rechecked:
    """What a second look at the waiting files came to. ``files`` names the first of those that are free.

    ``gone`` files are not where they were; ``unread`` ones are among those still waiting, and a template might stand in
    another place of them; ``deferred`` ones were not looked at. A worker sees to both, but not after a dry run.
    """

    looked_at: int = 0
    pending: int = 0
    needs_description: int = 0
    still_waiting: int = 0
    gone: int = 0
    unread: int = 0
    deferred: int = 0
    files: list[RecheckedFile] = field(default_factory=list)

    @property
    def matched(self) -> int:
        """Files that got a template."""
        return self.pending + self.needs_description


@dataclass(frozen=True, slots=True)
class Offered:
    """How many waiting files got a newly published template, and how many a worker has still to look at."""

    matched: int = 0
    deferred: int = 0


def waiting_files(
    *, families: Collection[Family] = (), file_ids: Collection[int] = (), platform: str = "", domain: str = ""
) -> QuerySet[CatalogFile]:
    """Files that have no template, or none that fits."""
    rows = CatalogFile.objects.filter(_WAITING)
    if families:
        wanted = Q()
        for family in families:
            wanted |= Q(**_described_as(family))
        rows = rows.filter(wanted)
    if file_ids:
        rows = rows.filter(pk__in=file_ids)
    if platform:
        rows = rows.filter(platform=platform)
    return rows.filter(domain=domain) if domain else rows


def recheck(
    files: QuerySet[CatalogFile],
    *,
    dry_run: bool = False,
    look: Look | None = None,
    most: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Rechecked:
    """Give each of the ``waiting_files`` the published template that fits it; they are pending from then on.

    A file stays as it is where no template fits, where only the one that failed it does, and where its bytes are gone.
    ``dry_run`` says the same without writing or reading a file; after ``most`` files it stops.
    """
    judge = _Judge(shelf(), write=not dry_run, look=None if dry_run else look)
    while (most is None or judge.result.looked_at < most) and judge.look_at_lot(files):
        if progress:
            progress(judge.result.looked_at)
    return judge.result


def recheck_soon(
    *,
    families: Collection[Family] = (),
    file_ids: Collection[int] = (),
    platform: str = "",
    domain: str = "",
    dry_run: bool = False,
) -> Rechecked:
    """``recheck`` for somebody who waits for the answer: what is too much for that is left to a worker."""
    files = waiting_files(families=families, file_ids=file_ids, platform=platform, domain=domain)
    before = files.count()
    result = recheck(files, dry_run=dry_run, most=None if file_ids else MOST_AT_ONCE)
    result.deferred = max(0, before - result.looked_at)
    if (result.deferred or result.unread) and not dry_run:
        transaction.on_commit(partial(ring_for, RECHECK_TASK, None, platform, domain))
    return result


def offer(families: Collection[Family], *, template_id: int | None = None) -> Offered:
    """Let the waiting files of families look again after a publication, at once where they are few.

    Only files that ``template_id`` fits best get it, where it is given. Otherwise a worker is rung for when the
    transaction is committed; should that message get lost, ``recheck`` does the same.
    """
    files = waiting_files(families=families)
    count = files.count() if families else 0
    if count > MOST_AT_ONCE:
        transaction.on_commit(partial(ring_for, RECHECK_TASK, template_id))
        return Offered(deferred=count)
    if not count:
        return Offered()
    judge = _Judge(shelf(), only=template_id)
    while judge.look_at_lot(files):
        pass
    if judge.result.unread:
        transaction.on_commit(partial(ring_for, RECHECK_TASK, template_id))
    return Offered(matched=judge.result.matched, deferred=judge.result.unread)


def recheck_for(template_id: int | None, *, look: Look, platform: str = "", domain: str = "") -> Rechecked:
    """What a worker does that was rung for: ``recheck`` the family of a template, or every waiting file."""
    row = HeaderTemplate.objects.filter(pk=template_id).first() if template_id else None
    families = [family_of(row)] if row else ()
    return recheck(waiting_files(families=families, platform=platform, domain=domain), look=look)


def would_match(families: Collection[Family], candidate: Stored, *, replaces: Collection[int]) -> tuple[int, int]:
    """How many of the waiting files of families would get a draft if it were published, and how many wait.

    Where more than ``MOST_AT_ONCE`` wait, only the first are looked at. ``replaces`` are the published versions that
    would go.
    """
    files = waiting_files(families=families)
    judge = _Judge(_with(shelf(), candidate, replaces), only=candidate.id, write=False)
    while judge.result.looked_at < MOST_AT_ONCE and judge.look_at_lot(files):
        pass
    return judge.result.matched, files.count()


class _Judge:
    """Goes through waiting files by their ids, says which template each gets, and writes it down."""

    def __init__(self, on: Shelf, *, only: int | None = None, write: bool = True, look: Look | None = None) -> None:
        self.result = Rechecked()
        self._on, self._only, self._write, self._look = on, only, write, look
        self._last = 0

    @transaction.atomic
    def look_at_lot(self, files: QuerySet[CatalogFile]) -> bool:
        """Judge the next files, which nobody else changes meanwhile; False when there are no more."""
        lot = files.filter(pk__gt=self._last).order_by("pk")[: _LOT_READ if self._look else _LOT]
        rows = list(lot.select_for_update() if self._write else lot)
        changed = [row for row in rows if self._settle(row)]
        if self._write and changed:
            names = ("template", "match", "suggestion", "state", "last_error")
            CatalogFile.objects.bulk_update(changed, names, batch_size=100)
        if rows:
            self._last = rows[-1].pk
        return bool(rows)

    def _settle(self, file: CatalogFile) -> bool:
        result = self.result
        result.looked_at += 1
        stored = self._best(file) or self._looked_elsewhere(file)
        if stored is None:
            result.still_waiting += 1
            return False
        if not _is_there(file):
            result.gone += 1
            return False
        missing = description_error(file, on=self._on)
        file.state = FileState.NEEDS_DESCRIPTION if missing else FileState.PENDING
        file.last_error = missing.document if missing else {}
        result.needs_description += bool(missing)
        result.pending += not missing
        if len(result.files) < _SHOWN:
            name = stored.template.name
            result.files.append(RecheckedFile(file.pk, file.original_name, stored.id, name, str(file.state)))
        return True

    def _best(self, file: CatalogFile) -> Stored | None:
        """Give the file the variant that fits best; none where it does not fit, or has failed the file already."""
        candidates = self._candidates(file)
        found = match(file.header, [one.template for one in candidates], sample_rows=sample_rows(file))
        stored = next((one for one in candidates if one.template is found.template), None)
        if stored is None or not found.outcome.syncable or stored.id == file.template_id:
            return None
        if self._only not in {None, stored.id}:
            return None
        file.template_id, file.suggestion = stored.id, {}
        file.match = found.as_dict() | {"template_id": stored.id}
        return stored

    def _looked_elsewhere(self, file: CatalogFile) -> Stored | None:
        """Read the file where a variant's header would stand in another place; none where it is not there either."""
        if not any(_stands_elsewhere(one.template, file) for one in self._candidates(file)):
            return None
        if self._look is None:
            self.result.unread += 1
            return None
        before = file.template_id
        with suppress(FileError):
            self._look(file)
        stored = self._on.by_id.get(file.template_id or 0)
        fits = stored is not None and stored.id != before and Outcome(file.match["outcome"]).syncable
        return stored if fits else None

    def _candidates(self, file: CatalogFile) -> tuple[Stored, ...]:
        family = family_of_file(file)
        return stored_for(family, on=self._on) if family else ()


def _stands_elsewhere(template: Template, file: CatalogFile) -> bool:
    """Whether the template's header would stand where the catalogue has not looked for it."""
    return template.sheet is not None or (template.header_row, template.header_rows) != (file.header_row, 1)


def _with(on: Shelf, candidate: Stored, replaces: Collection[int]) -> Shelf:
    """The shelf as it would be with a draft published."""
    stored = (*(one for one in on.stored if one.id not in replaces), candidate)
    family = candidate.template.family
    by_family = on.by_family | {family: tuple(one for one in stored if one.template.family == family)}
    return Shelf(stored, by_family, {one.id: one for one in stored})


def _described_as(family: Family) -> dict[str, str]:
    return {
        "platform_id": family.platform,
        "source_platform_id": family.source_platform,
        "domain": family.domain.value,
        "sub_domain": family.sub_domain,
        "granularity": family.granularity,
    }


def _is_there(file: CatalogFile) -> bool:
    try:
        place(file.root, file.storage_name)
    except FileMissing:
        return False
    return True
