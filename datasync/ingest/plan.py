"""What the ingest is told and what it passes on: plain values, no Django.

A ``Plan`` is made by ``datasync.mapping`` from a template and a file's real header, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from datasync.fields import Domain, Kind
from datasync.reasons import Reason

if TYPE_CHECKING:
    import polars as pl


class NumberFormat(StrEnum):
    """Which character is the decimal mark. It belongs to the template, never to a locale."""

    DOT = "dot"  # 1,203.60
    COMMA = "comma"  # 1.203,60


class FileFormat(StrEnum):
    """What the first bytes of a file say it is."""

    XLSX = "xlsx"
    XLSB = "xlsb"
    ODS = "ods"
    XLS = "xls"
    HTML = "html"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What to read of a file. ``header_row`` is 0-based, counted over the rows as the spreadsheet shows them."""

    path: Path
    header_row: int = 0
    header_rows: int = 1  # a grouped header spans several rows; names are joined by " / "
    data_row: int | None = None  # 0-based first data row where prose stands between header and data
    sheet: str | None = None  # None: first sheet that is not empty
    expected_header: tuple[str, ...] = ()  # helps to choose the encoding
    batch_rows: int = 9_000  # five batches are in hand at once: more rows cost memory, fewer cost time
    max_rows: int | None = None


@dataclass(frozen=True, slots=True)
class SheetHead:
    """The beginning of a sheet as text; ``rows[i]`` is row ``i`` (0-based) as the spreadsheet shows it."""

    format: FileFormat
    sheet: str
    sheets: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str = ""
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class CellProblem:
    """Something the reader saw that the cell's text does not show. ``column`` None: the whole row."""

    row: int  # 1-based, as the spreadsheet shows it
    column: int | None  # 0-based
    reason: Reason
    value: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some consecutive rows of a sheet.

    ``frame`` has a column ``row`` (UInt32, 1-based as the spreadsheet shows it) and ``c0 … cN`` (String, null for an
    empty cell), one for each column of the header. Rows without any value are not in it. ``numbers`` says, for each
    column with number cells, which rows have one (Boolean): their text has a decimal point whatever the template
    says of text cells.
    """

    frame: pl.DataFrame
    problems: tuple[CellProblem, ...] = ()
    numbers: Mapping[str, pl.Series] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """What is known of a sheet once its reading has begun."""

    format: FileFormat
    sheet: str
    header: tuple[str, ...]  # as written, one for each column c0 … cN
    encoding: str = ""
    delimiter: str = ""


class Sheet(Protocol):
    """An open sheet. Iterating raises a ``FileError`` when the rest cannot be read."""

    info: SheetInfo

    def __iter__(self) -> Iterator[Batch]: ...

    def cancel(self) -> None:
        """Free a thread that waits for the next batch; the sheet cannot be read on. Any thread may call this."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file, bound to what its template says of it. ``field`` None: kept in the original row only."""

    position: int  # 0-based: column c{position} of a batch
    header: str  # as written
    field: str | None = None
    kind: Kind = Kind.TEXT
    format: str = "auto"  # dates: strptime format(s) joined by "|", or "auto"; other kinds: ""
    required: bool = False
    fill_down: bool = False
    order_level: bool = False
    number_format: NumberFormat = NumberFormat.DOT


@dataclass(frozen=True, slots=True)
class ShopOf:
    """What a row has from the shop that it names. ``currency`` is ISO 4217 or "", ``timezone`` an IANA name."""

    pk: int
    currency: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Inside what a row's identity is unique, and what all rows of the file have in common."""

    platform: str
    shop_id: int | None  # primary key of the shop; None when rows name their shop themselves
    domain: Domain
    sub_domain: str
    granularity: str
    period_start: date | None
    period_end: date | None
    collected_at: datetime
    currency: str  # ISO 4217, "" when not known
    timezone: str  # IANA name of the shop's local time
    shops: dict[str, ShopOf] = field(default_factory=dict)  # label text as in rows → the shop that it names


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the ingest needs to know about one file."""

    file_id: int
    scope: Scope
    columns: tuple[Column, ...]  # every column of the header, in order
    identity: tuple[str, ...]  # standard fields, in the order in which they are hashed
    header_set_id: int
    fingerprint: str  # changes whenever the same cells would give other values: template version and mapping
    ordinal: bool = False  # lines with an equal identity are numbered (orders, finance)
    totals_on_every_line: bool = False  # an order's totals stand on each of its lines, not only on the first
    file_currency: str = ""  # named by the headers of all local amounts, ISO 4217
    cleared: frozenset[str] = frozenset()
    """Fields whose stored value is of another template: an update of a row that this file wrote last empties them, and
    writes what the file now says, blank or not. Rows that another file wrote last keep theirs."""
    confirmed_before: bool = True
    """Whether an earlier sync of the file may have confirmed rows; False only where it is known that none has."""
    session: str = ""
    """How the loading transaction names its database session, so that it can be ended from outside by this name."""


@dataclass(slots=True)
class Counts:
    """Where the rows went. ``read`` is the sum of all others, exactly."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    quarantined: int = 0
    totals: int = 0
    duplicates: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every row that was read is accounted for."""
        return self.read == (
            self.inserted
            + self.updated
            + self.unchanged
            + self.stale
            + self.quarantined
            + self.totals
            + self.duplicates
        )

    def add(self, other: Counts) -> None:
        """Add another file's or batch's counts to these."""
        for name in COUNT_NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_dict(self) -> dict[str, int]:
        """The counts by name, in the order of the books."""
        return {name: getattr(self, name) for name in COUNT_NAMES}


COUNT_NAMES = ("read", "inserted", "updated", "unchanged", "stale", "quarantined", "totals", "duplicates")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that cannot be trusted, whole. ``reasons`` maps a header (or "" for the row) to a reason code."""

    row: int
    reasons: tuple[tuple[str, str, str], ...]  # (header, reason code, offending value)
    values: tuple[str | None, ...]  # in header order
    context: str | None = None  # what it had from the rows around it, see ``prepare.context``
    at: int = 0  # position among the rows that were prepared with it
    corrected: Mapping[int, str | None] | None = None  # what a person wrote into its cells when it was released once
