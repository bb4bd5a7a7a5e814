"""What a generated sample set truly holds: the books that a correct sync of it must arrive at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from datasync.ingest.plan import FileFormat
from datasync.reasons import Reason


class Outcome(StrEnum):
    """What must become of a file when everything is synced."""

    OK = "ok"
    QUARANTINED = "quarantined"  # some rows rejected, the others imported
    REFUSED = "refused"
    TEMPLATE_UPDATE_REQUIRED = "template_update_required"
    NEEDS_DESCRIPTION = "needs_description"
    NO_TEMPLATE = "no_template"


class Period(NamedTuple):
    """First and last day, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Length in days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop whose exports are in the set; ``aliases`` are label texts that stand for it in rows and folders."""

    platform: str
    shop_id: str
    name: str
    account: str
    region: str
    currency: str
    timezone: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """The template family a file belongs to."""

    platform: str
    source_platform: str
    domain: str
    granularity: str
    sub_domain: str = ""


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell for which its row must be quarantined.

    ``row`` is 1-based as the spreadsheet shows it; ``header`` is as written, "" for the whole row. ``reasons`` are the
    acceptable codes, more than one where the template's date format or number range decides which.
    """

    row: int
    header: str
    reasons: tuple[Reason, ...]
    value: str


@dataclass(frozen=True, slots=True)
class SampleFile:
    """One file and its books: ``rows_read == good + quarantined + totals + duplicates``, all 0 unless rows are read.

    ``header_set`` is the letter of DOMAIN §6; ``code`` is the error code of a refused file; ``header_row`` and
    ``data_row`` are 0-based; between them may stand a row that describes the columns.
    ``sums`` are the exact sums of order-level money over the good rows, by header, in hundredths.
    """

    path: Path
    header_set: str
    family: Family | None
    shop: Shop | None
    period: Period | None
    collected_at: datetime
    format: FileFormat
    encoding: str
    delimiter: str
    header_row: int
    data_row: int
    outcome: Outcome
    code: str
    side_file: bool
    rows_read: int
    good: int
    quarantined: int
    totals: int
    duplicates: int
    bad_cells: tuple[BadCell, ...]
    sums: dict[str, int]
    note: str

    @property
    def balanced(self) -> bool:
        """Whether the generator's own books add up."""
        return self.rows_read == self.good + self.quarantined + self.totals + self.duplicates


@dataclass(frozen=True, slots=True)
class SampleSet:
    """All files of a generated set.

    ``shops`` have to be known before the sync, or be made by it. ``facts`` is the number of distinct rows that the
    tables hold afterwards, by domain: exports of one month repeat each other's rows.
    """

    folder: Path
    files: tuple[SampleFile, ...]
    shops: tuple[Shop, ...]
    facts: dict[str, int]

    @property
    def rows_read(self) -> int:
        """Rows that a sync of all files reads."""
        return sum(file.rows_read for file in self.files)

    def by_outcome(self, outcome: Outcome) -> tuple[SampleFile, ...]:
        """The files that must end in one way."""
        return tuple(file for file in self.files if file.outcome is outcome)

    def as_dict(self) -> dict[str, Any]:
        """The whole truth as plain values; ``json.dumps(..., default=str)`` takes it."""
        return asdict(self)
