"""Header templates as values: what a file's header looks like and what its columns mean."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from datasync.exceptions import KeyColumnMissing, TemplateError
from datasync.fields import FIELDS, Domain, Field, Kind
from datasync.ingest.plan import NumberFormat
from datasync.mapping.headers import header_key

GRANULARITIES = ("hourly", "daily", "weekly", "monthly", "snapshot")
SUB_DOMAINS = ("agent", "ai_assistant")
SCOPE_FIELDS = ("period_start", "snapshot_date", "metric_date")
"""Identity fields that the file's own description supplies when no column does."""

DATE_KINDS = (Kind.DATE, Kind.DATETIME, Kind.PERIOD)

MOST_COLUMNS = 16_384
LAST_HEADER_ROW = 1_000
LAST_DATA_ROW = 1_048_575
_LONGEST = {"variant": 64, "sheet": 255, "header": 500, "alias": 500, "format": 100}
"""Characters that the database has room for."""
_ANY_DAY = datetime(2026, 3, 6, 13, 16, 50, tzinfo=UTC)


class InvalidTemplate(TemplateError):
    """The header template is not valid: %(problems)s."""

    code = "TEMPLATE_INVALID"
    recovery = "Correct the template and load it again."


@dataclass(frozen=True, slots=True)
class Family:
    """Which exports a template is for."""

    platform: str
    source_platform: str
    domain: Domain
    granularity: str
    sub_domain: str = ""

    @property
    def key(self) -> str:
        """The family's name: ``shopee/miaoshou/orders/daily``, with the sub-domain behind the domain."""
        domain = f"{self.domain}.{self.sub_domain}" if self.sub_domain else str(self.domain)
        return f"{self.platform}/{self.source_platform}/{domain}/{self.granularity}"


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """One column. ``field`` None: kept with the original row only.

    ``format`` holds the strptime formats of a date, a time or each end of a period, joined by "|", or "auto"; it is
    "" for other kinds. ``aliases`` are other wordings of the header that mean the same.
    """

    position: int
    header: str
    field: str | None = None
    kind: Kind = Kind.TEXT
    format: str = ""
    required: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """One published variant of one version of a family. Rows are 0-based."""

    family: Family
    columns: tuple[TemplateColumn, ...]
    identity: tuple[str, ...]
    version: int = 1
    variant: str = "default"
    header_row: int = 0
    header_rows: int = 1
    data_row: int | None = None
    sheet: str | None = None
    number_format: NumberFormat = NumberFormat.DOT
    ordinal: bool = False
    totals_on_every_line: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """The header as the template states it."""
        return tuple(column.header for column in self.columns)

    @property
    def fields(self) -> dict[str, TemplateColumn]:
        """The columns that feed a standard field, by that field."""
        return {column.field: column for column in self.columns if column.field}

    @property
    def name(self) -> str:
        """The template's name for people and logs."""
        return f"{self.family.key} v{self.version} {self.variant}"

    @property
    def fingerprint(self) -> str:
        """A hash of everything that changes the values of a row, and of nothing else."""
        columns = [[c.header, c.field, c.kind, c.format, c.required] for c in self.columns]
        told = [
            [self.family.platform, self.family.domain, self.family.sub_domain, self.family.granularity],
            [self.header_row, self.header_rows, self.data_row, self.sheet, self.number_format],
            [self.identity, self.ordinal, self.totals_on_every_line],
            columns,
        ]
        text = json.dumps(told, ensure_ascii=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def check_template(template: Template, *, where: str = "") -> None:
    """Raise ``InvalidTemplate`` naming every problem, or ``KeyColumnMissing`` when no column feeds the identity."""
    prefix = f"{where}: " if where else ""
    problems = list(template_problems(template))
    if problems:
        raise InvalidTemplate(problems="; ".join(f"{prefix}{problem}" for problem in problems))
    missing = missing_identity(template)
    if missing:
        raise KeyColumnMissing(missing=f"{prefix}{', '.join(missing)}")


def template_problems(template: Template) -> Iterator[str]:
    """What is wrong with a template, apart from an identity without columns."""
    yield from _family_problems(template.family)
    if not template.columns:
        yield "it has no columns"
    if len(template.columns) > MOST_COLUMNS:
        yield f"it has more than {MOST_COLUMNS} columns"
    yield from _row_problems(template)
    yield from _text_problems(template)
    yield from _column_problems(template)
    fields = FIELDS[template.family.domain]
    for name in template.identity:
        if name not in SCOPE_FIELDS and not (name in fields and fields[name].identity):
            yield f"{name!r} cannot identify a row of {template.family.domain}"


def missing_identity(template: Template) -> tuple[str, ...]:
    """Identity fields that neither a column nor the file's description supplies.

    At least one of them must come from a column, or all rows of a file would be one row.
    """
    mapped = set(template.fields) | ({"period_start"} if "period" in template.fields else set())
    missing = tuple(name for name in template.identity if name not in mapped and name not in SCOPE_FIELDS)
    if not missing and not mapped.intersection(template.identity):
        return template.identity or ("identity",)
    return missing


def _row_problems(template: Template) -> Iterator[str]:
    if not 0 <= template.header_row <= LAST_HEADER_ROW or not 1 <= template.header_rows <= 6:
        yield f"header_row {template.header_row} or header_rows {template.header_rows} is out of range"
    if template.data_row is None:
        return
    if template.data_row < template.header_row + template.header_rows:
        yield f"data_row {template.data_row} is not below the header"
    if template.data_row > LAST_DATA_ROW:
        yield f"data_row {template.data_row} is out of range"


def _text_problems(template: Template) -> Iterator[str]:
    """Texts that the database could not hold."""
    if not template.variant:
        yield "its variant has no name"
    texts = [("variant", template.variant), ("sheet", template.sheet or "")]
    for column in template.columns:
        texts += [("header", column.header), ("format", column.format), *(("alias", text) for text in column.aliases)]
    for name, text in texts:
        if len(text) > _LONGEST[name]:
            yield f"{name} {text[:40]!r}… is longer than {_LONGEST[name]} characters"
        if "\0" in text or text != text.encode("utf-8", "replace").decode():
            yield f"{name} {text[:40]!r} holds a character that cannot be stored"


def _family_problems(family: Family) -> Iterator[str]:
    if not family.platform or not family.source_platform:
        yield "platform or source_platform is empty"
    if family.granularity not in GRANULARITIES:
        yield f"granularity {family.granularity!r} is not one of {', '.join(GRANULARITIES)}"
    if (family.granularity == "snapshot") != (family.domain is Domain.INVENTORY):
        yield f"granularity {family.granularity!r} does not go with {family.domain}"
    expected = SUB_DOMAINS if family.domain is Domain.SERVICES else ("",)
    if family.sub_domain not in expected:
        yield f"sub_domain {family.sub_domain!r} does not go with {family.domain}"


def _column_problems(template: Template) -> Iterator[str]:
    fields = FIELDS[template.family.domain]
    taken: dict[str, int] = {}
    for index, column in enumerate(template.columns):
        label = f"column {index} ({column.header!r})"
        if column.position != index:
            yield f"{label}: its position is {column.position}"
        if column.field is None:
            if column.required:
                yield f"{label}: required, but it feeds no field"
            continue
        yield from (f"{label}: {problem}" for problem in _mapping_problems(column, fields, template.family.domain))
        if column.field in taken:
            yield f"{label}: field {column.field!r} is already fed by column {taken[column.field]}"
        taken.setdefault(column.field, index)
    yield from _alias_problems(template)


def _mapping_problems(column: TemplateColumn, fields: dict[str, Field], domain: Domain) -> Iterator[str]:
    field = fields.get(column.field or "")
    if field is None:
        yield f"unknown field {column.field!r} of {domain}"
        return
    if column.kind is not field.kind:
        yield f"kind {column.kind} instead of {field.kind}"
    if field.kind in DATE_KINDS and not column.format:
        yield "a date needs a format, or 'auto'"
    if field.kind in DATE_KINDS and column.format != "auto":
        yield from (f"{one!r} is no date format" for one in column.format.split("|") if not _is_date_format(one))
    if field.kind not in DATE_KINDS and column.format:
        yield f"a format does not go with kind {field.kind}"


def _alias_problems(template: Template) -> Iterator[str]:
    headers = {header_key(column.header) for column in template.columns}
    for column in template.columns:
        for alias in column.aliases:
            if header_key(alias) in headers:
                yield f"column {column.position} ({column.header!r}): alias {alias!r} is a header of its own"


def _is_date_format(text: str) -> bool:
    """Whether strptime understands it, and it takes something from a date."""
    if "%" not in text:
        return False
    try:
        datetime.strptime(_ANY_DAY.strftime(text), text)  # noqa: DTZ007 - only whether it can be read matters
    except (ValueError, re.error):
        return False
    return True
