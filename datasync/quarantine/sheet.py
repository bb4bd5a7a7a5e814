"""Corrections from an exported sheet: read like any hostile file, compared with what is stored, told row by row."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from datasync.choices import QUARANTINE_DECIDED
from datasync.exceptions import (
    EmptyFile,
    FileBusy,
    FileNotFound,
    InvalidRequest,
    NotAnExport,
    RowsOfOldContent,
    SyncError,
    TooLarge,
)
from datasync.ingest.plan import Batch, NumberFormat, ReadRequest
from datasync.ingest.read import reader
from datasync.models import CatalogFile, QuarantinedRow
from datasync.quarantine import correct, values
from datasync.quarantine.batches import MOST_AT_ONCE, held
from datasync.quarantine.cells import Columns, SheetRow, plain
from datasync.quarantine.export import NOTES
from datasync.quarantine.selectors import present_rows

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

CORRECTED, UNCHANGED, DECIDED, UNKNOWN = "corrected", "unchanged", "decided", "unknown_id"
MISMATCH, REPEATED, BUSY, REPLACED, UNREADABLE = "mismatch", "repeated", "busy", "replaced", "unreadable"
OUTCOMES = (CORRECTED, UNCHANGED, DECIDED, UNKNOWN, MISMATCH, REPEATED, BUSY, REPLACED, UNREADABLE)
_REFUSED: dict[type[SyncError], str] = {FileBusy: BUSY, RowsOfOldContent: REPLACED, FileNotFound: UNKNOWN}
MOST_TOLD = 1_000
"""Rows that are told one by one; all are counted."""
_HEADER_WITHIN = 40
_COPY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What became of a row of the sheet. ``row`` is its place in the sheet, ``id`` that of the quarantined row."""

    sheet: str
    row: int
    id: int | None
    outcome: str
    columns: list[str]


@dataclass(slots=True)
class Imported:
    """What became of a sheet. ``rows`` are the first of those that were not simply unchanged."""

    counts: dict[str, int] = field(default_factory=dict)
    rows: list[ImportedRow] = field(default_factory=list)
    ignored_sheets: list[str] = field(default_factory=list)
    unknown_columns: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, sheet: str, row: SheetRow, outcome: str, columns: Sequence[str] = ()) -> None:
        """Count a row, and name it if there is something to say of it."""
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        if outcome != UNCHANGED and len(self.rows) < MOST_TOLD:
            self.rows.append(ImportedRow(sheet, row.number, row.id, outcome, list(columns)))


def import_corrections(*, source: Path | BinaryIO, actor: AbstractBaseUser | None, dry_run: bool = False) -> Imported:
    """Take the corrections of an exported sheet that has come back.

    What differs from the stored row is a correction. Raises ``NotAnExport`` when no sheet says which row is which, and
    a ``FileError`` for what cannot be read.
    """
    with _on_disk(source) as path:
        return _Import(path, actor=actor, dry_run=dry_run).run()


class _Import:
    def __init__(self, path: Path, *, actor: AbstractBaseUser | None, dry_run: bool) -> None:
        self._path = path
        self._actor = actor
        self._dry_run = dry_run
        self._result = Imported()
        self._seen: set[int] = set()

    def run(self) -> Imported:
        """All sheets, one after the other."""
        names = reader().head(self._path, rows=1).sheets
        taken = [name for name in names or ("",) if self._sheet(name)]
        if not taken:
            raise NotAnExport(column=NOTES[0])
        return self._result

    def _sheet(self, name: str) -> bool:
        """Take one sheet; False when it does not say which row is which."""
        try:
            head = reader().head(self._path, rows=_HEADER_WITHIN, sheet=name or None)
        except EmptyFile:
            head = None
        lines = [[plain(cell) for cell in row] for row in head.rows] if head else []
        header_row = next((at for at, cells in enumerate(lines) if NOTES[0] in cells), None)
        if header_row is None:
            self._result.ignored_sheets.append(name)
            return False
        request = ReadRequest(self._path, header_row=header_row, sheet=name or None, batch_rows=MOST_AT_ONCE)
        with reader().open(request) as sheet:
            columns = Columns(sheet.info.header, NOTES)
            for batch in sheet:
                self._batch(name, columns, batch)
        return True

    def _batch(self, sheet: str, columns: Columns, batch: Batch) -> None:
        by_id: dict[int, SheetRow] = {}
        for row in columns.rows(batch):
            if row.id is None:
                self._result.tell(sheet, row, UNKNOWN)
            elif row.id in self._seen:
                self._result.tell(sheet, row, REPEATED)
            else:
                self._seen.add(row.id)
                by_id[row.id] = row
        stored = present_rows().filter(pk__in=by_id).select_related("header_set", "file").defer("file__profile")
        by_file: dict[int, list[QuarantinedRow]] = defaultdict(list)
        for one in stored:
            by_file[one.file_id].append(one)
        known = {one.pk for rows in by_file.values() for one in rows}
        for row_id in by_id.keys() - known:
            self._result.tell(sheet, by_id[row_id], UNKNOWN)
        for file_id in sorted(by_file):
            self._file(sheet, columns, file_id, by_file[file_id], by_id)

    def _file(
        self, sheet: str, columns: Columns, file_id: int, stored: list[QuarantinedRow], by_id: Mapping[int, SheetRow]
    ) -> None:
        """The rows of one file, which is held meanwhile."""
        wanted: list[int] = []
        for one in stored:
            row = by_id[one.pk]
            if one.state in QUARANTINE_DECIDED:
                self._result.tell(sheet, row, DECIDED)
            elif not row.is_of(one):
                self._result.tell(sheet, row, MISMATCH)
            else:
                wanted.append(one.pk)
        try:
            with held(file_id, wanted) as (file, rows):
                self._correct(sheet, columns, file, rows, by_id)
        except (FileBusy, RowsOfOldContent, FileNotFound) as error:
            for row_id in wanted:
                self._result.tell(sheet, by_id[row_id], _REFUSED[type(error)])
            return
        for row_id in set(wanted) - {one.pk for one in rows}:
            self._result.tell(sheet, by_id[row_id], DECIDED)

    def _correct(
        self,
        sheet: str,
        columns: Columns,
        file: CatalogFile,
        rows: list[QuarantinedRow],
        by_id: Mapping[int, SheetRow],
    ) -> None:
        touched: list[QuarantinedRow] = []
        changes: list[dict[str, object]] = []
        comma = file.template is not None and file.template.number_format == NumberFormat.COMMA
        for one in rows:
            row, headers = by_id[one.pk], one.header_set.headers
            places, unknown = columns.places(one.header_set_id, headers)
            if unknown:
                self._result.unknown_columns.setdefault(sheet, unknown)
            try:
                given = row.differences(values.current(one), places, headers=headers, decimal_comma=comma)
            except InvalidRequest:
                given = None
            if given is None:
                self._result.tell(sheet, row, UNREADABLE)
                continue
            change = values.correct_cells(one, given)
            self._result.tell(sheet, row, CORRECTED if change else UNCHANGED, [str(each["header"]) for each in change])
            if change:
                touched.append(one)
                changes += change
        if not self._dry_run:
            correct.save(file, touched, changes, actor=self._actor)


@contextmanager
def _on_disk(source: Path | BinaryIO) -> Iterator[Path]:
    """The sheet as a file, which is what the reading child takes. Raises ``TooLarge`` above the limit of uploads."""
    if isinstance(source, Path):
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corrections"  # a text file's sheet is called after it
        _copy(source, path)
        yield path


def _copy(source: BinaryIO, path: Path) -> None:
    limit: int = settings.UPLOAD_LIMIT_BYTES
    size = 0
    with path.open("wb") as stream:
        while chunk := source.read(_COPY_BYTES):
            size += len(chunk)
            if size > limit:
                raise TooLarge(
                    found=_("over %(bytes)s bytes") % {"bytes": f"{limit:,}"},
                    limit=_("%(bytes)s bytes") % {"bytes": f"{limit:,}"},
                )
            stream.write(chunk)
    if not size:
        raise EmptyFile(found="zero bytes")
