"""Files that waited for a template look again, when one is published or when somebody asks.

Header and values that the catalogue holds decide among the family's variants, and a sync checks the header again. Only
where a variant's header would stand in another place than the catalogue looked at is the file itself read, and that by
a worker or a command. Files are taken in lots, each in a transaction of its own, so that ten thousand of them need
neither much memory nor long locks, and a run that was broken off is simply done again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet

from datasync.access import EVERYTHING, NOTHING, Sight
from datasync.at_hand import is_there
from datasync.choices import FILE_UNSYNCED, FileState
from datasync.exceptions import FileError
from datasync.mapping.in_use import HAS_PUBLISHED_TEMPLATE
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

_UNSYNCED = Q(state__in=FILE_UNSYNCED)
_WAITING = Q(state=FileState.TEMPLATE_UPDATE_REQUIRED) | (
    _UNSYNCED & (~HAS_PUBLISHED_TEMPLATE | Q(template_fit=Outcome.BLOCKED.value))
)
"""A template that was archived counts as none: what has taken its place is published, or will be."""


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
    """How many waiting files got a template, and how many a worker has still to look at.

    ``losing`` files were to be synced by a version that was replaced, and are fitted by none any more.
    """

    matched: int = 0
    deferred: int = 0
    losing: int = 0


def waiting_files(
    *,
    families: Collection[Family] = (),
    file_ids: Collection[int] = (),
    platform: str = "",
    domain: str = "",
    losing: Collection[int] = (),
) -> QuerySet[CatalogFile]:
    """Files that have no published template, or none that fits; ``losing`` names templates taken to be archived."""
    rows = CatalogFile.objects.filter(_WAITING | (_UNSYNCED & Q(template__in=losing)) if losing else _WAITING)
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


def files_of(family: Family) -> QuerySet[CatalogFile]:
    """The files that are described as a family's; deleted ones are none."""
    return CatalogFile.objects.exclude(state=FileState.DELETED).filter(**_described_as(family))


def unsynced_files(template_id: int) -> QuerySet[CatalogFile]:
    """Files that are still to be synced, and by that template."""
    return CatalogFile.objects.filter(_UNSYNCED, template=template_id)


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
    sight: Sight,
    families: Collection[Family] = (),
    file_ids: Collection[int] = (),
    platform: str = "",
    domain: str = "",
    dry_run: bool = False,
) -> Rechecked:
    """``recheck`` of files in sight for somebody who waits for the answer.

    What is too much for that is left to a worker, who looks at every waiting file that the person sees.
    """
    waiting = waiting_files(families=families, file_ids=file_ids, platform=platform, domain=domain)
    files = waiting.filter(sight.files())
    before = files.count()
    result = recheck(files, dry_run=dry_run, most=None if file_ids else MOST_AT_ONCE)
    result.deferred = max(0, before - result.looked_at)
    if (result.deferred or result.unread) and not dry_run:
        transaction.on_commit(partial(ring_for, RECHECK_TASK, None, platform, domain, sight.person_id))
    return result


def offer(families: Collection[Family], *, template_id: int | None = None, replaced: Collection[int] = ()) -> Offered:
    """Let the waiting files of families look again after a publication, at once where they are few.

    Each gets what fits it best; those that get ``template_id`` are told, where it is given. Where many wait, a worker
    is rung for when the transaction is committed; should that message get lost, ``recheck`` does the same.
    """
    if not families:
        return Offered()
    offered = _looked_over(waiting_files(families=families), shelf(), told=template_id, replaced=replaced)
    if offered.deferred:
        transaction.on_commit(partial(ring_for, RECHECK_TASK, template_id))
    return offered


def offer_others(template_id: int) -> Offered:
    """Let the files that were to be synced by a template that was archived look among the other published ones."""
    offered = _looked_over(unsynced_files(template_id), shelf())
    if offered.deferred:
        transaction.on_commit(partial(ring_for, RECHECK_TASK, template_id))
    return offered


def recheck_for(
    template_id: int | None, *, look: Look, platform: str = "", domain: str = "", person_id: int | None = None
) -> Rechecked:
    """What a worker does that was rung for: ``recheck`` the family of a template, or every waiting file.

    ``person_id`` names who asked where they are limited to shops: then files that they see now.
    """
    row = HeaderTemplate.objects.filter(pk=template_id).first() if template_id else None
    families = [family_of(row)] if row else ()
    files = waiting_files(families=families, platform=platform, domain=domain)
    return recheck(files.filter(_sight_of(person_id).files()), look=look)


def _sight_of(person_id: int | None) -> Sight:
    if person_id is None:
        return EVERYTHING
    person = get_user_model().objects.filter(pk=person_id).first()
    return NOTHING if person is None else Sight.of(person)


def would_match(candidate: Stored, *, replaces: Collection[int]) -> Offered:
    """What ``offer`` would come to if a draft were published; ``replaces`` are the published versions that would go."""
    files = waiting_files(families=[candidate.template.family], losing=replaces)
    on = _without(shelf(), replaces, candidate)
    return _looked_over(files, on, told=candidate.id, replaced=replaces, write=False)


def would_lose(template_id: int) -> Offered:
    """What ``offer_others`` would come to if a template were archived."""
    return _looked_over(unsynced_files(template_id), _without(shelf(), [template_id]), write=False)


def _looked_over(
    files: QuerySet[CatalogFile],
    on: Shelf,
    *,
    told: int | None = None,
    replaced: Collection[int] = (),
    write: bool = True,
) -> Offered:
    """Judge the files where they are few enough for somebody who waits, else none."""
    count = files.count()
    if count > MOST_AT_ONCE:
        return Offered(deferred=count)
    judge = _Judge(on, write=write)
    while count and judge.look_at_lot(files):
        pass
    matched = judge.result.matched if told is None else judge.given[told]
    return Offered(matched, judge.result.unread, sum(judge.left[one] for one in replaced))


class _Judge:
    """Goes through waiting files by their ids, says which template each gets, and writes it down.

    ``given`` counts files by the template that they got, ``left`` those that got none by the one that they had.
    """

    def __init__(self, on: Shelf, *, write: bool = True, look: Look | None = None) -> None:
        self.result = Rechecked()
        self.given: Counter[int] = Counter()
        self.left: Counter[int | None] = Counter()
        self._on, self._write, self._look = on, write, look
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
        before, unread = file.template_id, result.unread
        stored = self._best(file) or self._looked_elsewhere(file)
        if stored is None:
            result.still_waiting += 1
            self.left[before] += result.unread == unread
            return False
        if not is_there(file):
            result.gone += 1
            self.left[before] += 1
            return False
        self.given[stored.id] += 1
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


def _without(on: Shelf, gone: Collection[int], candidate: Stored | None = None) -> Shelf:
    """The shelf as it would be without some templates, and with a draft published."""
    stored = tuple(one for one in on.stored if one.id not in gone)
    if candidate is not None:
        stored = (*stored, candidate)
    by_family: dict[Family, tuple[Stored, ...]] = {}
    for one in stored:
        by_family[one.template.family] = (*by_family.get(one.template.family, ()), one)
    return Shelf(stored, by_family, {one.id: one for one in stored})


def _described_as(family: Family) -> dict[str, str]:
    return {
        "platform_id": family.platform,
        "source_platform_id": family.source_platform,
        "domain": family.domain.value,
        "sub_domain": family.sub_domain,
        "granularity": family.granularity,
    }
