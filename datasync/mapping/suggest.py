"""Propose a mapping for a header that no template knows.

Each column gets a field, or none, with a confidence and the reason for it. A wrong mapping that looks sure is worse
than none: a field is proposed once, values must bear the header out, and only what stands in a dictionary is sure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from datasync.fields import FIELDS, Domain, Kind
from datasync.ingest.plan import NumberFormat
from datasync.mapping.aliases import Hit, alias_key, look_up
from datasync.mapping.formats import guess_date_format, guess_number_format
from datasync.mapping.headers import header_key
from datasync.mapping.order_totals import TotalsSeen, totals_seen
from datasync.mapping.template import DATE_KINDS, Family, Template, TemplateColumn
from datasync.mapping.values import column_values, is_date, reader

SURE = 0.9
_CONTRADICTED = 0.3
_MIN_VALUES = 3
_NUMERIC = (Kind.DECIMAL, Kind.INTEGER, Kind.PERCENT)

_REQUIRED: dict[Domain, frozenset[str]] = {
    Domain.ORDERS: frozenset({"order_id", "ordered_at"}),
    Domain.PRODUCTS: frozenset({"product_id"}),
    Domain.ANALYTICS: frozenset({"metric_date", "metric_hour"}),
    Domain.SERVICES: frozenset({"period", "metric_date"}),
    Domain.INVENTORY: frozenset({"sku"}),
    Domain.FINANCE: frozenset({"settlement_id"}),
}
"""Fields without which a row means nothing."""

Rows = Sequence[Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class SuggestedColumn:
    """What one column may be. ``confidence`` is 0 to 1; ``reason`` says where it comes from."""

    position: int
    header: str
    field: str | None
    kind: Kind
    format: str
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A mapping that waits for a click. ``sure``: what identifies a row and how numbers are written is beyond doubt.

    ``totals_on_every_line`` None: the sample does not show it. ``notes`` say what a person should look at.
    """

    domain: Domain
    domain_confidence: float
    columns: tuple[SuggestedColumn, ...]
    identity: tuple[str, ...]
    ordinal: bool
    sure: bool
    number_format: NumberFormat
    totals_on_every_line: bool | None = None
    notes: tuple[str, ...] = ()

    @property
    def fields(self) -> dict[str, SuggestedColumn]:
        """The columns with a field, by that field."""
        return {column.field: column for column in self.columns if column.field}

    def to_template(
        self,
        family: Family,
        *,
        version: int = 1,
        variant: str = "default",
        header_row: int = 0,
        sheet: str | None = None,
    ) -> Template:
        """The suggestion as a template that can be published as it is."""
        required = _REQUIRED[self.domain]
        return Template(
            family=family,
            columns=tuple(
                TemplateColumn(
                    position=column.position,
                    header=column.header,
                    field=column.field,
                    kind=column.kind,
                    format=column.format,
                    required=column.field in required and column.field is not None,
                )
                for column in self.columns
            ),
            identity=self.identity,
            version=version,
            variant=variant,
            header_row=header_row,
            sheet=sheet,
            number_format=self.number_format,
            ordinal=self.ordinal,
            totals_on_every_line=bool(self.totals_on_every_line),
        )


def suggest(
    header: Sequence[str],
    sample_rows: Rows = (),
    *,
    domain: Domain | None = None,
    platform: str | None = None,
    currency: str = "",
) -> Suggestion:
    """The best mapping for a header; without a ``domain``, the one whose words the header speaks most.

    ``platform`` helps where one platform uses a common word in a sense of its own, such as Shopify's "Name", and the
    shop's ``currency`` where figures alone do not say which mark is the decimal one.
    """
    if domain is not None:
        return _suggest_for(header, sample_rows, domain, platform or "", currency)
    candidates = [_suggest_for(header, sample_rows, candidate, platform or "", currency) for candidate in Domain]
    return max(candidates, key=lambda found: (found.domain_confidence, found.sure))


def _suggest_for(header: Sequence[str], rows: Rows, domain: Domain, platform: str, currency: str) -> Suggestion:
    values = [column_values(rows, position) for position in range(len(header))]
    hits = _hits(header, domain, platform)
    numeric = [
        position
        for position, hit in enumerate(hits)
        if hit and hit.field and FIELDS[domain][hit.field].kind in _NUMERIC
    ]
    told = guess_number_format(
        (value for position in numeric for value in values[position]),
        currencies={header_key(header[position]).currency for position in numeric} - {""} or {currency},
    )
    number_format = told or NumberFormat.DOT
    columns = tuple(
        _column(position, text, hits[position], values[position], domain=domain, number_format=number_format)
        for position, text in enumerate(header)
    )
    columns = _once_each(columns, hits)
    seen = TotalsSeen(None)
    if domain is Domain.ORDERS:
        seen = totals_seen({column.field: column.position for column in columns if column.field}, rows)
        columns = _without_own(columns, seen)
    identity, ordinal = _identity(columns, domain)
    return Suggestion(
        domain=domain,
        domain_confidence=_domain_confidence(header, columns, domain),
        columns=columns,
        identity=identity,
        ordinal=ordinal,
        sure=told is not None and _is_sure(columns, identity, domain),
        number_format=number_format,
        totals_on_every_line=seen.on_every_line,
        notes=_notes(domain, told, seen),
    )


def _without_own(columns: tuple[SuggestedColumn, ...], seen: TotalsSeen) -> tuple[SuggestedColumn, ...]:
    """Where totals count once an order, an amount of each line's own would be lost: it is kept with the row only."""
    if not seen.on_every_line:
        return columns
    return tuple(
        replace(column, field=None, kind=Kind.TEXT, reason=f"no {column.field}: it differs between lines of an order")
        if column.field in seen.own
        else column
        for column in columns
    )


def _notes(domain: Domain, told: NumberFormat | None, seen: TotalsSeen) -> tuple[str, ...]:
    notes = []
    if told is None:
        notes.append("number format: figures such as 1.250 can be read in two ways; the sample does not tell which")
    if domain is Domain.ORDERS:
        where = {True: "on every line", False: "on the first line only", None: "cannot be seen in the sample"}
        notes.append(f"order totals: {where[seen.on_every_line]}")
    return tuple(notes)


def _hits(header: Sequence[str], domain: Domain, platform: str) -> list[Hit | None]:
    company = {alias_key(text) for text in header}
    hits = [look_up(text, domain=domain, company=company, platform=platform) for text in header]
    money = [
        header_key(text).currency
        for text, hit in zip(header, hits, strict=True)
        if hit and hit.field and FIELDS[domain][hit.field].is_money
    ]
    mixed = any(code != "CNY" for code in money) or any(name.endswith("_cny") for name in FIELDS[domain])
    return [_in_cny(text, hit, domain, mixed=mixed) for text, hit in zip(header, hits, strict=True)]


def _in_cny(header: str, hit: Hit | None, domain: Domain, *, mixed: bool) -> Hit | None:
    """An amount in CNY has a field of its own, or none: beside local amounts it would be taken for one of them."""
    if hit is None or hit.field is None or header_key(header).currency != "CNY":
        return hit
    own = f"{hit.field}_cny"
    if own in FIELDS[domain]:
        return replace(hit, field=own)
    if not mixed or not FIELDS[domain][hit.field].is_money:
        return hit
    return replace(hit, field=None, reason=f"{hit.field} in CNY has no field of its own")


def _column(
    position: int, header: str, hit: Hit | None, values: Sequence[str], *, domain: Domain, number_format: NumberFormat
) -> SuggestedColumn:
    if hit is None or hit.field is None:
        reason = hit.reason if hit else _looks_like(values)
        return SuggestedColumn(position, header, None, Kind.TEXT, "", hit.confidence if hit else 0.0, reason)
    kind = FIELDS[domain][hit.field].kind
    date_format = guess_date_format(values, period=kind is Kind.PERIOD) if kind in DATE_KINDS else ""
    reads = reader(kind, date_format, number_format)
    wrong = sum(not reads(value) for value in values)
    confidence, reason, field = hit.confidence, hit.reason, hit.field
    if len(values) >= _MIN_VALUES and wrong > len(values) / 2:
        return SuggestedColumn(
            position, header, None, Kind.TEXT, "", _CONTRADICTED, f"{reason}, but its values are no {kind}"
        )
    return SuggestedColumn(position, header, field, kind, date_format, confidence, reason)


def _looks_like(values: Sequence[str]) -> str:
    if len(values) >= _MIN_VALUES and all(is_date(value, "auto") for value in values):
        return "no match; values look like dates"
    return "no match"


def _once_each(columns: Iterable[SuggestedColumn], hits: Sequence[Hit | None]) -> tuple[SuggestedColumn, ...]:
    """Each field once: the surest column has it, then the better name, then the first."""
    columns = tuple(columns)
    best: dict[str, SuggestedColumn] = {}
    for column in columns:
        if column.field is not None:
            rival = best.get(column.field)
            if rival is None or _strength(column, hits) > _strength(rival, hits):
                best[column.field] = column
    return tuple(
        column
        if column.field is None or best[column.field] is column
        else replace(
            column, field=None, kind=Kind.TEXT, format="", reason=f"{column.field} is {best[column.field].header!r}"
        )
        for column in columns
    )


def _strength(column: SuggestedColumn, hits: Sequence[Hit | None]) -> tuple[float, int]:
    hit = hits[column.position]
    return column.confidence, -(hit.rank if hit else 0)


def _identity(columns: Sequence[SuggestedColumn], domain: Domain) -> tuple[tuple[str, ...], bool]:
    """The fields that identify a row, and whether equal ones are numbered."""
    mapped = {column.field for column in columns if column.field}

    def present(*names: str) -> tuple[str, ...]:
        return tuple(name for name in names if name in mapped)

    if domain is Domain.ORDERS and "line_id" in mapped:
        return ("order_id", "line_id"), False
    own: dict[Domain, tuple[str, ...]] = {
        Domain.ORDERS: ("order_id", *present("sku", "platform_sku_id", "product_id")[:1]),
        Domain.PRODUCTS: ("product_id", *present("variant_id"), "period_start"),
        Domain.ANALYTICS: ("metric_date", *present("metric_hour")),
        Domain.SERVICES: (*present("agent_id"), *(present("metric_date") or ("period_start",))),
        Domain.INVENTORY: (*(present("sku", "product_id")[:1] or ("sku",)), *present("warehouse"), "snapshot_date"),
        Domain.FINANCE: (
            *(present("settlement_id", "transaction_id") or ("settlement_id",)),
            *present("order_id", "entry_type", "amount_type", "amount_description", "sku"),
        ),
    }
    return own[domain], domain in {Domain.ORDERS, Domain.FINANCE}


def _is_sure(columns: Sequence[SuggestedColumn], identity: Sequence[str], domain: Domain) -> bool:
    """Whether every identity column and everything a row must have was recognised without doubt."""
    confidence = {column.field: column.confidence for column in columns if column.field}
    if domain is Domain.SERVICES and "period" in confidence:
        confidence["period_start"] = confidence["period"]
    supplied = {"period_start", "snapshot_date"} | ({"metric_date"} if "metric_hour" in confidence else set())
    wanted = [name for name in identity if name in confidence or name not in supplied]
    if domain is Domain.ORDERS:
        wanted.append("ordered_at")
    return bool(wanted) and all(confidence.get(name, 0.0) >= SURE for name in wanted)


def _domain_confidence(header: Sequence[str], columns: Sequence[SuggestedColumn], domain: Domain) -> float:
    """The share of the header that speaks of the domain; what identifies a row counts for more."""
    named = sum(1 for text in header if header_key(text).text)
    if not named:
        return 0.0
    fields = FIELDS[domain]
    weight = sum(
        column.confidence * (2.0 if fields[column.field].identity else 1.0) for column in columns if column.field
    )
    return round(min(1.0, weight / (named + 2)), 3)
