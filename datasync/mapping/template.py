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
MOST_HEADER_ROWS = 6
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


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a template, and where: in a setting of it, or of the column at a position."""

    text: str
    setting: str = ""
    column: int | None = None


def check_template(template: Template, *, where: str = "") -> None:
    """Raise ``InvalidTemplate`` naming every problem, or ``KeyColumnMissing`` when no column feeds the identity."""
    prefix = f"{where}: " if where else ""
    problems = list(template_problems(template))
    if problems:
        raise InvalidTemplate(problems="; ".join(f"{prefix}{problem.text}" for problem in problems))
    missing = missing_identity(template)
    if missing:
        raise KeyColumnMissing(missing=f"{prefix}{', '.join(missing)}")


def template_problems(template: Template) -> Iterator[Problem]:
    """What is wrong with a template, apart from an identity without columns."""
    yield from _family_problems(template.family)
    if not template.columns:
        yield Problem("it has no columns")
    if len(template.columns) > MOST_COLUMNS:
        yield Problem(f"it has more than {MOST_COLUMNS} columns")
    yield from _row_problems(template)
    yield from _text_problems(template)
    yield from _column_problems(template)
    fields = FIELDS[template.family.domain]
    for name in template.identity:
        if name not in SCOPE_FIELDS and not (name in fields and fields[name].identity):
            yield Problem(f"{name!r} cannot identify a row of {template.family.domain}", "identity")


def missing_identity(template: Template) -> tuple[str, ...]:
    """Identity fields that neither a column nor the file's description supplies.

    At least one of them must come from a column, or all rows of a file would be one row.
    """
    mapped = set(template.fields) | ({"period_start"} if "period" in template.fields else set())
    missing = tuple(name for name in template.identity if name not in mapped and name not in SCOPE_FIELDS)
    if not missing and not mapped.intersection(template.identity):
        return template.identity or ("identity",)
    return missing


def _row_problems(template: Template) -> Iterator[Problem]:
    if not 0 <= template.header_row <= LAST_HEADER_ROW:
        yield Problem(f"header_row {template.header_row} is out of range", "header_row")
    if not 1 <= template.header_rows <= MOST_HEADER_ROWS:
        yield Problem(f"header_rows {template.header_rows} is out of range", "header_rows")
    if template.data_row is None:
        return
    if template.data_row < template.header_row + template.header_rows:
        yield Problem(f"data_row {template.data_row} is not below the header", "data_row")
    if template.data_row > LAST_DATA_ROW:
        yield Problem(f"data_row {template.data_row} is out of range", "data_row")


def _text_problems(template: Template) -> Iterator[Problem]:
    """Texts that the database could not hold."""
    if not template.variant:
        yield Problem("its variant has no name", "variant")
    for name, text in (("variant", template.variant), ("sheet", template.sheet or "")):
        yield from (Problem(told, name) for told in _unfit(name, text))
    for column in template.columns:
        texts = [("header", column.header), ("format", column.format), *(("alias", text) for text in column.aliases)]
        yield from (
            Problem(told, "aliases" if name == "alias" else name, column.position)
            for name, text in texts
            for told in _unfit(name, text)
        )


def _unfit(name: str, text: str) -> Iterator[str]:
    if len(text) > _LONGEST[name]:
        yield f"{name} {text[:40]!r}… is longer than {_LONGEST[name]} characters"
    if "\0" in text or text != text.encode("utf-8", "replace").decode():
        yield f"{name} {text[:40]!r} holds a character that cannot be stored"


def _family_problems(family: Family) -> Iterator[Problem]:
    if not family.platform or not family.source_platform:
        yield Problem("platform or source_platform is empty", "platform")
    if family.granularity not in GRANULARITIES:
        told = f"granularity {family.granularity!r} is not one of {', '.join(GRANULARITIES)}"
        yield Problem(told, "granularity")
    if (family.granularity == "snapshot") != (family.domain is Domain.INVENTORY):
        yield Problem(f"granularity {family.granularity!r} does not go with {family.domain}", "granularity")
    expected = SUB_DOMAINS if family.domain is Domain.SERVICES else ("",)
    if family.sub_domain not in expected:
        yield Problem(f"sub_domain {family.sub_domain!r} does not go with {family.domain}", "sub_domain")


def _column_problems(template: Template) -> Iterator[Problem]:
    domain = template.family.domain
    taken: dict[str, int] = {}
    for index, column in enumerate(template.columns):
        told = [("position", f"its position is {column.position}")] if column.position != index else []
        if column.field is None:
            told += [("required", "required, but it feeds no field")] if column.required else []
        else:
            told += _mapping_problems(column, FIELDS[domain], domain)
            if column.field in taken:
                told.append(("field", f"field {column.field!r} is already fed by column {taken[column.field]}"))
            taken.setdefault(column.field, index)
        yield from (Problem(f"column {index} ({column.header!r}): {text}", name, index) for name, text in told)
    yield from _alias_problems(template)


def _mapping_problems(column: TemplateColumn, fields: dict[str, Field], domain: Domain) -> Iterator[tuple[str, str]]:
    field = fields.get(column.field or "")
    if field is None:
        yield "field", f"unknown field {column.field!r} of {domain}"
        return
    if column.kind is not field.kind:
        yield "kind", f"kind {column.kind} instead of {field.kind}"
    if field.kind in DATE_KINDS and not column.format:
        yield "format", "a date needs a format, or 'auto'"
    if field.kind in DATE_KINDS and column.format != "auto":
        wrong = (one for one in column.format.split("|") if not _is_date_format(one))
        yield from (("format", f"{one!r} is no date format") for one in wrong)
    if field.kind not in DATE_KINDS and column.format:
        yield "format", f"a format does not go with kind {field.kind}"


def _alias_problems(template: Template) -> Iterator[Problem]:
    headers = {header_key(column.header) for column in template.columns}
    for column in template.columns:
        for alias in column.aliases:
            if header_key(alias) in headers:
                told = f"column {column.position} ({column.header!r}): alias {alias!r} is a header of its own"
                yield Problem(told, "aliases", column.position)


def _is_date_format(text: str) -> bool:
    """Whether strptime understands it, and it takes something from a date."""
    if "%" not in text:
        return False
    try:
        datetime.strptime(_ANY_DAY.strftime(text), text)  # noqa: DTZ007 - only whether it can be read matters
    except (ValueError, re.error):
        return False
    return True
