"""Scan the configured roots: what is new, changed, renamed, still growing, gone or back."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.utils.translation import gettext as _

from datasync.access import EVERYTHING
from datasync.catalog import records
from datasync.catalog.cataloguer import Catalogued, Cataloguer, Outcome
from datasync.catalog.describe import Knowledge
from datasync.catalog.heads import reading_ahead
from datasync.catalog.walk import Found, Refused, Unfinished, printable, walk
from datasync.choices import FILE_ACTIVE, FileState
from datasync.disk import root_key
from datasync.exceptions import InvalidRequest
from datasync.mapping.store import shelf
from datasync.models import CatalogFile

_CHUNK = 200
_MAX_ERRORS = 200
_NEVER_MISSED = (*FILE_ACTIVE, FileState.SOURCE_MISSING, FileState.DELETED)


@dataclass(slots=True)
class ScanResult:
    """Counts of files by what became of them.

    ``deleted`` are files that a person deleted: they are left alone. ``failed`` and ``needs_description`` are parts of
    new and changed. ``errors`` names, with the reason, what was refused or could not be read, at most 200.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    renamed: int = 0
    returned: int = 0
    duplicates: int = 0
    growing: int = 0
    busy: int = 0
    deleted: int = 0
    missing: int = 0
    refused: int = 0
    failed: int = 0
    needs_description: int = 0
    errors: list[dict[str, str]] = field(default_factory=list)

    @property
    def seen(self) -> int:
        """Files that were found, whatever became of them."""
        return (
            self.new + self.changed + self.unchanged + self.renamed + self.returned + self.duplicates + self.growing
            + self.busy + self.deleted + self.refused
        )  # fmt: skip

    def count(self, done: Catalogued) -> None:
        """Count one file."""
        name = "duplicates" if done.outcome is Outcome.DUPLICATE else done.outcome.value
        setattr(self, name, getattr(self, name) + 1)
        if done.outcome in {Outcome.NEW, Outcome.CHANGED}:
            self.failed += done.state == FileState.FAILED
            self.needs_description += done.state == FileState.NEEDS_DESCRIPTION
        if done.outcome is Outcome.REFUSED:
            self.add_error(done.found.name, done.reason)

    def refuse(self, name: str, reason: str) -> None:
        """Count something that cannot be catalogued."""
        self.refused += 1
        self.add_error(name, reason)

    def add_error(self, name: str, reason: str) -> None:
        """Keep a reason to be shown."""
        if len(self.errors) < _MAX_ERRORS:
            self.errors.append({"name": name, "reason": reason})


_Item = TypeVar("_Item")
Progress = Callable[[ScanResult], None]


def scan_roots(*, roots: Sequence[Path] | None, progress: Progress | None) -> ScanResult:
    """Scan the configured roots, or folders inside them; ``progress`` is called after every chunk of files."""
    result = ScanResult()
    knowledge = Knowledge.now(shelf(), settings.COLLECTION_TIME_ZONE, sight=EVERYTHING)
    for root, below in [_inside_root(path) for path in roots] if roots else [(r, "") for r in settings.DATA_ROOTS]:
        folder = root / below
        if not folder.is_dir():
            result.refuse(str(folder), "there is no such folder")
            continue
        _scan_root(root, below, knowledge=knowledge, result=result, progress=progress)
    return result


def _scan_root(root: Path, below: str, *, knowledge: Knowledge, result: ScanResult, progress: Progress | None) -> None:
    key = root_key(root)
    with reading_ahead() as read_heads:
        cataloguer = Cataloguer(root=root, key=key, knowledge=knowledge, read_heads=read_heads)
        for chunk in _chunks(_files(root, below, result)):
            for done in cataloguer.process(chunk):
                result.count(done)
            if progress:
                progress(result)
    result.missing += _mark_missing(root, key, below)


def _files(root: Path, below: str, result: ScanResult) -> Iterator[Found]:
    for entry in walk(root, below=below):
        if isinstance(entry, Found):
            yield entry
        elif isinstance(entry, Refused):
            result.refuse(entry.name, entry.reason)
        elif isinstance(entry, Unfinished):
            result.growing += 1


def _mark_missing(root: Path, key: str, below: str) -> int:
    """Mark rows whose file is gone; each is looked at, so that memory does not grow with the root."""
    rows = CatalogFile.objects.filter(root=key).exclude(state__in=_NEVER_MISSED)
    if below:
        rows = rows.filter(storage_name__startswith=f"{below}/")
    gone: dict[str, list[int]] = {}
    for pk, name, state in rows.values_list("pk", "storage_name", "state").iterator(chunk_size=2_000):
        if not _is_file(root / name):
            gone.setdefault(state, []).append(pk)
    count = 0
    for state, keys in gone.items():
        for chunk in _chunks(keys):
            free = CatalogFile.objects.filter(pk__in=chunk, state=state)
            count += free.update(state=FileState.SOURCE_MISSING, last_error=records.missing_document(state))
    return count


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _inside_root(path: Path) -> tuple[Path, str]:
    """The configured root that holds a folder, and the folder's name below it."""
    wanted = Path(os.path.abspath(path))  # noqa: PTH100 - links must stay as they are written
    for root in settings.DATA_ROOTS:
        if wanted.is_relative_to(root):
            below = wanted.relative_to(root)
            if any((root / Path(*below.parts[:depth])).is_symlink() for depth in range(1, len(below.parts) + 1)):
                break
            return root, "" if below == Path() else below.as_posix()
    told = _("%(path)s is not inside a configured root (DATA_ROOTS).") % {"path": printable(str(path))}
    raise InvalidRequest(detail=told)


def _chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
