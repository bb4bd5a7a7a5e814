"""What stands in an archive: one member or some for each file, under names that are safe to unpack anywhere."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import QuerySet

from datasync.access import EVERYTHING, Sight, may_see
from datasync.at_hand import at_hand, path_of
from datasync.disk import open_regular
from datasync.exceptions import FileMissing
from datasync.facts.export import Export, csv_stream
from datasync.facts.filters import Filters
from datasync.models import FACT_MODELS, CatalogFile, SyncProgressTask
from datasync.quarantine import export as quarantine
from datasync.quarantine import selectors

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

Beat = Callable[[], None]
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_LONGEST_NAME = 150
_CHUNK = 256 * 1024
_FIRST_YEAR = 1980


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom an archive is made, nobody on the command line, and what they saw when that began."""

    person: AbstractBaseUser | None
    sight: Sight

    @classmethod
    def of(cls, person: AbstractBaseUser | None) -> Reader:
        """With what the person sees now; the command line sees everything."""
        return cls(person, EVERYTHING if person is None else Sight.of(person))

    def may_see(self, task: SyncProgressTask) -> bool:
        """Whether the task may be named to them; on the command line all are."""
        return self.person is None or may_see(self.person, task, sight=self.sight)


def safe_name(file: CatalogFile) -> str:
    """The file's id and the last part of its name: unique, without folders, control or reversing characters."""
    last = re.split(r"[/\\]", file.original_name)[-1]
    cleaned = _UNSAFE.sub("_", last).strip(" .") or "file"
    stem, suffix = PurePosixPath(cleaned).stem, PurePosixPath(cleaned).suffix
    return f"{file.pk}-{stem[: _LONGEST_NAME - len(suffix)]}{suffix}"


def add_original(bundle: zipfile.ZipFile, file: CatalogFile, beat: Beat, _reader: Reader) -> bool:
    """The file as it lies there; raises ``FileMissing``."""
    try:
        with (
            at_hand(file, between=beat),
            open_regular(path_of(file)) as source,
            _member(bundle, file, "") as member,
        ):
            while chunk := source.read(_CHUNK):
                member.write(chunk)
                beat()
    except OSError:
        raise FileMissing from None
    return True


def add_cleaned(bundle: zipfile.ZipFile, file: CatalogFile, beat: Beat, reader: Reader) -> bool:
    """The rows that the file wrote last as CSV, one for each domain; False when there are none."""
    domains = [
        domain
        for domain, model in FACT_MODELS.items()
        if QuerySet(model).filter(reader.sight.facts(), file_last=file).exists()
    ]
    for domain in domains:
        export = Export(domain=domain, sight=reader.sight, filters=Filters(file_id=file.pk), bom=True)
        with closing(csv_stream(export)) as blocks, _member(bundle, file, f"-{domain}.csv") as member:
            for block in blocks:
                member.write(block)
                beat()
    return bool(domains)


def add_quarantined(bundle: zipfile.ZipFile, file: CatalogFile, beat: Beat, reader: Reader) -> bool:
    """The quarantined rows with their reasons as a workbook that can be corrected; False when there are none.

    Tasks of other people are not named in it, unless to staff.
    """
    rows = selectors.rows(selectors.Filters(file_ids=[file.pk]), sight=reader.sight)
    if not rows.exists():
        return False
    with tempfile.TemporaryFile(dir=settings.EXPORT_DIR) as book:
        quarantine.write(rows, book, format="xlsx", shows_task=reader.may_see)
        book.seek(0)
        with _member(bundle, file, "-quarantine.xlsx") as member:
            while chunk := book.read(_CHUNK):
                member.write(chunk)
                beat()
    return True


def _member(bundle: zipfile.ZipFile, file: CatalogFile, ending: str) -> zipfile.ZipExtFile:
    """A member to write to. Workbooks are compressed already."""
    stamp = file.modified_at.timetuple()[:6]
    name = f"{safe_name(file)}{ending}"
    info = zipfile.ZipInfo(name, stamp if stamp[0] >= _FIRST_YEAR else (_FIRST_YEAR, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_STORED if name.lower().endswith(".xlsx") else zipfile.ZIP_DEFLATED
    info.external_attr = 0o640 << 16
    return bundle.open(info, "w", force_zip64=True)  # type: ignore[return-value]
