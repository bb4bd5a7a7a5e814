"""Corrections from an exported sheet: read like any hostile file, told row by row, and taken all or none of them."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from datasync.access import Sight
from datasync.choices import QUARANTINE_DECIDED
from datasync.exceptions import (
    CorrectionsRefused,
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
from datasync.quarantine.words import label

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

CORRECTED, UNCHANGED, DECIDED, UNKNOWN = "corrected", "unchanged", "decided", "unknown_id"
MISMATCH, REPEATED, BUSY, REPLACED, UNREADABLE = "mismatch", "repeated", "busy", "replaced", "unreadable"
OUTCOMES = (CORRECTED, UNCHANGED, DECIDED, UNKNOWN, MISMATCH, REPEATED, BUSY, REPLACED, UNREADABLE)
_REFUSED: dict[type[SyncError], str] = {FileBusy: BUSY, RowsOfOldContent: REPLACED, FileNotFound: UNKNOWN}
MOST_TOLD = 1_000
"""Rows that are told one by one; all are counted."""
MOST_NAMED = 50
"""Refused rows that the error names one by one."""
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
    """What became of a sheet. ``rows`` are the first of those that were not simply unchanged, refused ones before all.

    ``refused`` rows keep the whole sheet from being taken.
    """

    counts: dict[str, int] = field(default_factory=dict)
    rows: list[ImportedRow] = field(default_factory=list)
    ignored_sheets: list[str] = field(default_factory=list)
    unknown_columns: dict[str, list[str]] = field(default_factory=dict)
    refused: int = 0

    def tell(self, sheet: str, row: SheetRow, outcome: str, columns: Sequence[str] = ()) -> None:
        """Count a row, and name it if there is something to say of it."""
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        if outcome == UNCHANGED:
            return
        told = ImportedRow(sheet, row.number, row.id, outcome, list(columns))
        if outcome == CORRECTED:
            self.rows += [told] if len(self.rows) < MOST_TOLD else []
            return
        if self.refused < MOST_TOLD:
            self.rows.insert(self.refused, told)
            del self.rows[MOST_TOLD:]
        self.refused += 1

    def check(self) -> None:
        """Raise ``CorrectionsRefused`` if there are rows that cannot be taken."""
        if self.refused:
            named = [
                f"{row.sheet} {row.row}: {label(row.outcome)}" for row in self.rows[: min(self.refused, MOST_NAMED)]
            ]
            more = ["…"] if self.refused > MOST_NAMED else []
            raise CorrectionsRefused(count=self.refused, rows="; ".join([*named, *more]))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A row of the sheet that corrects a quarantined row: what its cells should hold, by position."""

    sheet: str
    row: SheetRow
    given: dict[int, str | None]


def import_corrections(
    *, source: Path | BinaryIO, actor: AbstractBaseUser | None, sight: Sight, dry_run: bool = False
) -> Imported:
    """Take the corrections of an exported sheet that has come back, all of them or none; rows out of sight are unknown.

    What differs from the stored row is a correction. Raises ``CorrectionsRefused``, which names the rows that cannot be
    taken, and changes nothing then; a rehearsal tells of them. Raises ``NotAnExport`` when no sheet says which row is
    which, and a ``FileError`` for what cannot be read.
    """
    with _on_disk(source) as path:
        told = _Told(path, sight)
        told.read()
    if not dry_run:
        told.result.check()
        _take(told.wanted, told.result, actor=actor, sight=sight)
    return told.result


def _take(
    wanted: Mapping[int, Mapping[int, _Wanted]], result: Imported, *, actor: AbstractBaseUser | None, sight: Sight
) -> None:
    """Write the corrections, by file and row; what has come between since they were compared undoes them all."""
    with transaction.atomic():
        for file_id in sorted(wanted):
            ids = sorted(wanted[file_id])
            for start in range(0, len(ids), MOST_AT_ONCE):
                part = {pk: wanted[file_id][pk] for pk in ids[start : start + MOST_AT_ONCE]}
                _take_rows(file_id, part, result, actor=actor, sight=sight)
        result.check()


def _take_rows(
    file_id: int, wanted: Mapping[int, _Wanted], result: Imported, *, actor: AbstractBaseUser | None, sight: Sight
) -> None:
    try:
        with held(file_id, wanted.keys(), sight=sight) as (file, rows):
            changes = [change for row in rows for change in values.correct_cells(row, wanted[row.pk].given)]
            correct.save(file, rows, changes, actor=actor)
    except (FileBusy, RowsOfOldContent, FileNotFound) as error:
        for one in wanted.values():
            result.tell(one.sheet, one.row, _REFUSED[type(error)])
        return
    for row_id in wanted.keys() - {row.pk for row in rows}:
        result.tell(wanted[row_id].sheet, wanted[row_id].row, DECIDED)


class _Told:
    """What a sheet says, compared with what is stored; nothing is written. ``wanted``: by file and quarantined row."""

    def __init__(self, path: Path, sight: Sight) -> None:
        self._path = path
        self._sight = sight
        self._seen: set[int] = set()
        self.result = Imported()
        self.wanted: dict[int, dict[int, _Wanted]] = defaultdict(dict)

    def read(self) -> None:
        """All sheets, one after the other."""
        names = reader().head(self._path, rows=1).sheets
        taken = [name for name in names or ("",) if self._sheet(name)]
        if not taken:
            raise NotAnExport(column=NOTES[0])

    def _sheet(self, name: str) -> bool:
        """Compare one sheet; False when it does not say which row is which."""
        try:
            head = reader().head(self._path, rows=_HEADER_WITHIN, sheet=name or None)
        except EmptyFile:
            head = None
        lines = [[plain(cell) for cell in row] for row in head.rows] if head else []
        header_row = next((at for at, cells in enumerate(lines) if NOTES[0] in cells), None)
        if header_row is None:
            self.result.ignored_sheets.append(name)
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
                self.result.tell(sheet, row, UNKNOWN)
            elif row.id in self._seen:
                self.result.tell(sheet, row, REPEATED)
            else:
                self._seen.add(row.id)
                by_id[row.id] = row
        seen = present_rows(sight=self._sight).filter(pk__in=by_id)
        stored = seen.select_related("header_set", "file", "file__template")
        by_file: dict[int, list[QuarantinedRow]] = defaultdict(list)
        for one in stored.defer("file__profile"):
            by_file[one.file_id].append(one)
        known = {one.pk for rows in by_file.values() for one in rows}
        for row_id in by_id.keys() - known:
            self.result.tell(sheet, by_id[row_id], UNKNOWN)
        for file_id in sorted(by_file):
            self._file(sheet, columns, by_file[file_id], by_id)

    def _file(self, sheet: str, columns: Columns, stored: list[QuarantinedRow], by_id: Mapping[int, SheetRow]) -> None:
        """The rows of one file."""
        file = stored[0].file
        undecided = [one.pk for one in stored if one.state not in QUARANTINE_DECIDED]
        hindrance = _hindrance(file, undecided, self._sight)
        for one in stored:
            row = by_id[one.pk]
            if not row.is_of(one):
                self.result.tell(sheet, row, MISMATCH)
                continue
            given = self._differences(sheet, columns, one, row)
            if given is None:
                self.result.tell(sheet, row, UNREADABLE)
            elif not given:
                self.result.tell(sheet, row, UNCHANGED)
            elif hindrance or one.state in QUARANTINE_DECIDED:
                self.result.tell(sheet, row, DECIDED if one.state in QUARANTINE_DECIDED else hindrance)
            else:
                self.wanted[file.pk][one.pk] = _Wanted(sheet, row, given)
                headers = one.header_set.headers
                self.result.tell(sheet, row, CORRECTED, [headers[position] for position in given])

    def _differences(
        self, sheet: str, columns: Columns, one: QuarantinedRow, row: SheetRow
    ) -> dict[int, str | None] | None:
        """What the sheet says otherwise than the stored row; None where it cannot be read."""
        headers, template = one.header_set.headers, one.file.template
        places, unknown = columns.places(one.header_set_id, headers)
        if unknown:
            self.result.unknown_columns.setdefault(sheet, unknown)
        comma = template is not None and template.number_format == NumberFormat.COMMA
        before = values.current(one)
        try:
            given = row.differences(before, places, headers=headers, decimal_comma=comma)
        except InvalidRequest:
            return None
        if given is None:
            return None
        return {position: text for position, text in sorted(given.items()) if text != before[position]}


def _hindrance(file: CatalogFile, row_ids: list[int], sight: Sight) -> str:
    """Why rows of the file cannot be corrected at this moment, as an outcome; blank if they can."""
    try:
        with held(file.pk, row_ids, sight=sight):
            return ""
    except (FileBusy, RowsOfOldContent, FileNotFound) as error:
        return _REFUSED[type(error)]


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
