"""Bring catalogue rows up to date with files found on disk, some hundred at a time.

A chunk costs a query for the rows of its places, one for equal content elsewhere, and one insert; only a file that
was changed, renamed or is back costs a query of its own. What is unchanged is neither opened nor written.

What a person deleted stays deleted: the same export is left alone at its old place and under any other name, until its
content changes or a person uploads or restores it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from datasync.at_hand import is_there, lies_elsewhere
from datasync.catalog import records
from datasync.catalog.describe import Knowledge, describe
from datasync.catalog.description import Described, Description
from datasync.catalog.examine import examine
from datasync.catalog.heads import ReadHeads, read_when_asked
from datasync.catalog.walk import Found
from datasync.choices import FILE_ACTIVE, FileState
from datasync.collection.services import note_collected
from datasync.disk import Stamp, fingerprint, root_of
from datasync.exceptions import FileChanged
from datasync.mapping.choose import HeadOf
from datasync.models import CatalogFile


class Outcome(StrEnum):
    """What became of a file that was found."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    RENAMED = "renamed"
    RETURNED = "returned"
    DUPLICATE = "duplicate"
    GROWING = "growing"
    BUSY = "busy"
    DELETED = "deleted"
    REFUSED = "refused"


@dataclass(slots=True)
class Catalogued:
    """One file's outcome. ``row_id`` is None for a new file until its row is looked up by its place.

    ``restored``: the row was deleted, and is not any more.
    """

    found: Found
    outcome: Outcome
    row_id: int | None = None
    reason: str = ""
    state: str = ""
    restored: bool = False


@dataclass(slots=True)
class _Read:
    """A file whose bytes were read: nothing can change its hash any more."""

    found: Found
    row: CatalogFile | None
    described: Described
    content_sha256: str

    @property
    def is_touched(self) -> bool:
        """Whether only the time of the last change differs; a new side file makes it worth another look."""
        if self.row is None or self.row.content_sha256 != self.content_sha256:
            return False
        if self.row.state == FileState.DELETED:
            return True
        return records.side_stamp_of(self.row) == self.found.side_stamp


@dataclass(slots=True)
class Cataloguer:
    """Catalogues files of one root. ``told`` and ``name`` are what an uploader says of a single file.

    ``restores`` says that a person brings the file: a deleted one with the same content is pending again.
    """

    root: Path
    key: str
    knowledge: Knowledge
    told: Description | None = None
    name: str = ""
    uploaded_by_id: int | None = None
    wait_for_growth: bool = True
    restores: bool = False
    read_heads: ReadHeads = read_when_asked
    _new: list[CatalogFile] = field(default_factory=list)
    _renewed: list[CatalogFile] = field(default_factory=list)

    def process(self, found: Sequence[Found]) -> list[Catalogued]:
        """Catalogue some files and write their rows."""
        rows = {
            row.storage_name: row
            for row in CatalogFile.objects.select_related("shop")
            .defer("profile", "header", "match", "suggestion")
            .filter(root=self.key, storage_name__in=[one.name for one in found])
        }
        done: list[Catalogued] = []
        read: list[_Read] = []
        for one in found:
            result = self._look_at(one, rows.get(one.name))
            if isinstance(result, _Read):
                read.append(result)
            else:
                done.append(result)
        done += self._settle_read(read)
        CatalogFile.objects.bulk_create(self._new, ignore_conflicts=True, batch_size=50)
        note_collected([*self._new, *self._renewed], sight=self.knowledge.sight)
        self._new.clear()
        self._renewed.clear()
        return done

    def _look_at(self, found: Found, row: CatalogFile | None) -> Catalogued | _Read:
        if row is not None and _is_unchanged(row, found):
            return self._leave(row, found)
        if row is not None and (row.state in FILE_ACTIVE or row.removing):
            return Catalogued(found, Outcome.BUSY, row.pk)
        if self.wait_for_growth and _is_growing(found.stamp):
            return Catalogued(found, Outcome.GROWING, row.pk if row else None)
        try:
            return self._read(found, row)
        except FileChanged:
            return Catalogued(found, Outcome.GROWING, row.pk if row else None)
        except OSError as error:
            return Catalogued(found, Outcome.REFUSED, reason=f"it cannot be opened: {error.strerror or error}")

    def _read(self, found: Found, row: CatalogFile | None) -> _Read:
        """Hash a file and describe it; raises ``FileChanged`` or ``OSError``."""
        fingerprinted = fingerprint(self.root / found.name)
        found = replace(found, stamp=fingerprinted.stamp)
        told = self.told or (records.told_by_people(row) if row else None)
        described = describe(found, root=self.root, knowledge=self.knowledge, told=told, name=self.name)
        return _Read(found, row, described, fingerprinted.content_sha256)

    def _settle_read(self, read: Iterable[_Read]) -> list[Catalogued]:
        read = list(read)
        replaced = {one.row.pk for one in read if one.row and one.row.content_sha256 != one.content_sha256}
        equal = self._equal_content([one for one in read if one.row is None], without=replaced)
        paths = [None if one.is_touched else self.root / one.found.name for one in read]
        return [
            self._settle_one(one, equal.get(one.content_sha256, []), heads)
            for one, heads in zip(read, self.read_heads(paths), strict=True)
        ]

    def _settle_one(self, read: _Read, equal: list[CatalogFile], heads: HeadOf | None) -> Catalogued:
        if heads is None:
            return self._touch(read)
        for row in equal if read.row is None else ():
            known = self.knowledge
            if not records.is_same_export(row, read.described, shops=known.shops, shelf=known.shelf, sight=known.sight):
                continue
            if row.state == FileState.DELETED:
                if not self.restores:
                    return self._follow_deleted(read, row)
                if row.removing:  # its rows are still going: the upload is a file of its own
                    continue
                equal.remove(row)
                return self._restore(read, row, heads)
            if _lies_there(row):
                if not _holds_still(row):
                    continue
                return Catalogued(read.found, Outcome.DUPLICATE, row.pk, reason=f"the same as {row.storage_name}")
            if row.state not in FILE_ACTIVE:
                equal.remove(row)
                return self._move(read, row, heads)
        return self._catalogue(read, equal, heads)

    def _catalogue(self, read: _Read, equal: list[CatalogFile], heads: HeadOf) -> Catalogued:
        """Look into new content and make or renew its row."""
        place = self._place(read.found)
        examination = examine(heads, read.described, shelf=self.knowledge.shelf)
        values = records.content_values(
            place,
            examination,
            content_sha256=read.content_sha256,
            uploaded_by_id=read.row.uploaded_by_id if read.row else self.uploaded_by_id,
            sight=self.knowledge.sight,
            shops=self.knowledge.shops,
            shelf=self.knowledge.shelf,
        )
        row = CatalogFile(**values)
        if read.row is not None:
            if not _update(read.row, values):
                return Catalogued(read.found, Outcome.BUSY, read.row.pk, state=values["state"])
            self._renewed.append(row)
            return Catalogued(read.found, Outcome.CHANGED, read.row.pk, state=values["state"])
        self._new.append(row)
        equal.append(row)
        return Catalogued(read.found, Outcome.NEW, state=values["state"])

    def _follow_deleted(self, read: _Read, row: CatalogFile) -> Catalogued:
        """A deleted file under another name: its row goes along where nothing lies at the old place."""
        if row.root == self.key and not row.removing and not _lies_there(row):
            _update(row, self._place(read.found).values())
        return Catalogued(read.found, Outcome.DELETED, row.pk, state=row.state)

    def _restore(self, read: _Read, row: CatalogFile, heads: HeadOf) -> Catalogued:
        """A person brings back what was deleted: with what was known of it, where that is enough for a sync."""
        values = self._place(read.found).values() | records.standing(row, shelf=self.knowledge.shelf)
        if values["state"] != FileState.PENDING:
            return replace(self._catalogue(replace(read, row=row), [], heads), restored=True)
        _update(row, values)
        return Catalogued(read.found, Outcome.RETURNED, row.pk, state=values["state"], restored=True)

    def _touch(self, read: _Read) -> Catalogued:
        """The same content, last changed at another time."""
        row = read.row
        assert row is not None  # noqa: S101 - only a known file can be touched
        values: dict[str, Any] = {"modified_at": read.found.stamp.modified_at}
        if row.state == FileState.SOURCE_MISSING:
            values |= records.returned_values(row, shelf=self.knowledge.shelf)
            outcome = Outcome.RETURNED
        else:
            outcome = Outcome.DELETED if row.state == FileState.DELETED else Outcome.UNCHANGED
        _update(row, values)
        return Catalogued(read.found, outcome, row.pk, state=values.get("state", row.state))

    def _move(self, read: _Read, row: CatalogFile, heads: HeadOf) -> Catalogued:
        """The row follows its file to a new place; a name that says more completes the description."""
        if row.state == FileState.NEEDS_DESCRIPTION:
            return self._catalogue(replace(read, row=row), [], heads)
        values = self._place(read.found).values()
        values["description_sources"] = {
            **row.description_sources,
            **records.sources_of(Described(), read.found),
        }
        if row.state == FileState.SOURCE_MISSING:
            values |= records.returned_values(row, shelf=self.knowledge.shelf)
        _update(row, values)
        return Catalogued(read.found, Outcome.RENAMED, row.pk, state=values.get("state", row.state))

    def _leave(self, row: CatalogFile, found: Found) -> Catalogued:
        """What is unchanged stays as it is, but for a file that was missing and is back."""
        if row.state == FileState.DELETED:
            return Catalogued(found, Outcome.DELETED, row.pk, state=row.state)
        if row.state != FileState.SOURCE_MISSING:
            return Catalogued(found, Outcome.UNCHANGED, row.pk, state=row.state)
        values = records.returned_values(row, shelf=self.knowledge.shelf)
        _update(row, values)
        return Catalogued(found, Outcome.RETURNED, row.pk, state=values["state"])

    def _place(self, found: Found) -> records.Place:
        return records.Place(root=self.key, found=found, original_name=self.name or found.file_name)

    def _equal_content(self, read: Iterable[_Read], *, without: set[int]) -> dict[str, list[CatalogFile]]:
        """Rows of other places with the same bytes, as far as they are in sight; ``without`` hold others now.

        A file without a shop is not the same where rows of other shops count in it: it was brought in another sight.
        Those whose file is gone come first, deleted ones last.
        """
        digests = {one.content_sha256 for one in read}
        equal: dict[str, list[CatalogFile]] = {digest: [] for digest in digests}
        if digests:
            rows = CatalogFile.objects.select_related("shop").defer("profile", "header", "match", "suggestion")
            rows = rows.exclude(pk__in=without)
            seen = rows.filter(self.knowledge.sight.files(), content_sha256__in=digests)
            for row in sorted(seen, key=_precedence):
                if row.shop_id is not None or row.seen_shops == self.knowledge.sight.seen_shops:
                    equal[row.content_sha256].append(row)
        return equal


def _update(row: CatalogFile, values: dict[str, Any]) -> bool:
    """Write values unless a task took the file, or a person deleted it, meanwhile; says whether it did."""
    taken = FILE_ACTIVE if row.state == FileState.DELETED else (*FILE_ACTIVE, FileState.DELETED)
    with transaction.atomic():
        free = CatalogFile.objects.filter(pk=row.pk, removing="").exclude(state__in=taken)
        return free.update(**values) == 1


def _precedence(row: CatalogFile) -> tuple[bool, bool, int]:
    return row.state == FileState.DELETED, _lies_there(row), row.pk


def _is_unchanged(row: CatalogFile, found: Found) -> bool:
    same_stamp = (row.size, row.modified_at) == (found.stamp.size, found.stamp.modified_at)
    return same_stamp and records.side_stamp_of(row) == found.side_stamp


def _is_growing(stamp: Stamp) -> bool:
    """Whether the last change is too recent to be sure that it was the last; clocks may differ by as much."""
    age = timezone.now() - stamp.modified_at
    limit = timedelta(seconds=settings.GROWING_SECONDS)
    return -limit < age < limit


def _holds_still(row: CatalogFile) -> bool:
    """Whether the file at the row's place still has the row's bytes: a later chunk may find it replaced."""
    if lies_elsewhere(row.root):
        return is_there(row)  # under a generated name, which nobody writes again
    root = root_of(row.root)
    try:
        path = (root or Path()) / row.storage_name
        if Stamp.of(path.lstat()) == Stamp(row.size, row.modified_at):
            return True
        return fingerprint(path).content_sha256 == row.content_sha256
    except (OSError, ValueError, FileChanged):
        return False


def _lies_there(row: CatalogFile) -> bool:
    """Whether a regular file still lies at the row's place."""
    if lies_elsewhere(row.root):
        return is_there(row)
    root = root_of(row.root)
    if root is None:
        return False
    try:
        return stat.S_ISREG(os.lstat(root / row.storage_name).st_mode)
    except (OSError, ValueError):
        return False
