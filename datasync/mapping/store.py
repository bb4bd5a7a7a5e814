"""Header templates between the database and their plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from datasync import models
from datasync.choices import TemplateOrigin, TemplateState
from datasync.fields import Domain, Kind
from datasync.ingest.plan import NumberFormat
from datasync.mapping.template import Family, Template, TemplateColumn

_Stamp = tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A published template together with its row's primary key."""

    id: int
    template: Template
    origin: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """All published templates as they were at one moment."""

    stored: tuple[Stored, ...]
    by_family: dict[Family, tuple[Stored, ...]]
    by_id: dict[int, Stored]

    @property
    def templates(self) -> tuple[Template, ...]:
        """The templates alone."""
        return tuple(stored.template for stored in self.stored)

    @property
    def erps(self) -> frozenset[str]:
        """Platforms that export for others: they are the source of a template of another platform."""
        families = (stored.template.family for stored in self.stored)
        return frozenset(family.source_platform for family in families if family.source_platform != family.platform)


class _Held:
    """The shelf of this process. It is replaced as a whole, so that threads need no lock."""

    value: tuple[_Stamp, Shelf] | None = None


def shelf() -> Shelf:
    """The published templates; one cheap query says whether those that this process holds are still the newest."""
    stamp = _stamp()
    held = _Held.value
    if held is None or held[0] != stamp:
        held = (stamp, _read_shelf())
        _Held.value = held
    return held[1]


def held_shelf() -> Shelf:
    """The published templates as this process last saw them, without a query."""
    held = _Held.value
    return held[1] if held else shelf()


def to_column(row: models.TemplateColumn, *, position: int | None = None) -> TemplateColumn:
    """The plain value of a column's row, at another position if one is given."""
    return TemplateColumn(
        position=row.position if position is None else position,
        header=row.header,
        field=row.field or None,
        kind=Kind(row.kind),
        format=row.format,
        required=row.required,
        aliases=tuple(row.aliases),
    )


def to_template(row: models.HeaderTemplate, *, columns: Sequence[TemplateColumn] | None = None) -> Template:
    """The plain value of a row; its columns should have been prefetched, unless others are given."""
    return Template(
        family=family_of(row),
        columns=tuple(map(to_column, row.columns.all()) if columns is None else columns),
        identity=tuple(row.identity),
        version=row.version,
        variant=row.variant or "default",
        header_row=row.header_row,
        header_rows=row.header_rows,
        data_row=row.data_row,
        sheet=row.sheet or None,
        number_format=NumberFormat(row.number_format),
        ordinal=row.ordinal,
        totals_on_every_line=row.totals_on_every_line,
    )


def family_of(row: models.HeaderTemplate) -> Family:
    """The family of a template's row."""
    return Family(
        platform=row.platform_id,
        source_platform=row.source_platform_id,
        domain=Domain(row.domain),
        granularity=row.granularity,
        sub_domain=row.sub_domain,
    )


def add_template(template: Template, *, origin: TemplateOrigin, state: TemplateState) -> models.HeaderTemplate:
    """Write a template and its columns; its platforms must exist."""
    row = models.HeaderTemplate.objects.create(state=state, origin=origin, **_values(template))
    models.TemplateColumn.objects.bulk_create(_column_rows(row, template.columns))
    return row


def add_published(templates: Sequence[Template], *, origin: TemplateOrigin) -> list[models.HeaderTemplate]:
    """Write many templates with their columns, published now, in two statements; their platforms must exist."""
    now = timezone.now()
    rows = models.HeaderTemplate.objects.bulk_create(
        models.HeaderTemplate(state=TemplateState.PUBLISHED, origin=origin, published_at=now, **_values(template))
        for template in templates
    )
    models.TemplateColumn.objects.bulk_create(
        (
            column
            for row, template in zip(rows, templates, strict=True)
            for column in _column_rows(row, template.columns)
        ),
        batch_size=1_000,
    )
    return rows


def write_content(row: models.HeaderTemplate, template: Template) -> None:
    """Give the row of a draft other content."""
    values = _values(template)
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    row.columns.all().delete()
    models.TemplateColumn.objects.bulk_create(_column_rows(row, template.columns))


def variant_rows(family: Family, variant: str) -> dict[str, object]:
    """The filter that finds all versions of one variant; a nameless one is the default."""
    names = (variant, "") if variant == "default" else (variant,)
    return {**family_rows(family), "variant__in": names}


def _values(template: Template) -> dict[str, Any]:
    family = template.family
    return {
        "platform_id": family.platform,
        "source_platform_id": family.source_platform,
        "domain": family.domain.value,
        "sub_domain": family.sub_domain,
        "granularity": family.granularity,
        "version": template.version,
        "variant": template.variant,
        "header_row": template.header_row,
        "header_rows": template.header_rows,
        "data_row": template.data_row,
        "sheet": template.sheet or "",
        "number_format": template.number_format.value,
        "identity": list(template.identity),
        "ordinal": template.ordinal,
        "totals_on_every_line": template.totals_on_every_line,
        "fingerprint": template.fingerprint,
    }


def family_rows(family: Family) -> dict[str, object]:
    """The filter that finds a family's templates."""
    return {
        "platform_id": family.platform,
        "source_platform_id": family.source_platform,
        "domain": family.domain.value,
        "sub_domain": family.sub_domain,
        "granularity": family.granularity,
    }


def _column_rows(row: models.HeaderTemplate, columns: Iterable[TemplateColumn]) -> list[models.TemplateColumn]:
    return [
        models.TemplateColumn(
            template=row,
            position=column.position,
            header=column.header,
            aliases=list(column.aliases),
            field=column.field or "",
            kind=column.kind.value,
            format=column.format,
            required=column.required,
        )
        for column in columns
    ]


def _stamp() -> _Stamp:
    """Every published template by its id, and when it was published.

    No newest id and no newest time would do: of two publications the one that began first may be committed last.
    """
    published = models.HeaderTemplate.objects.filter(state=TemplateState.PUBLISHED).order_by("pk")
    return tuple(published.values_list("pk", "published_at"))


def _read_shelf() -> Shelf:
    columns = Prefetch("columns", queryset=models.TemplateColumn.objects.order_by("position"))
    rows = models.HeaderTemplate.objects.filter(state=TemplateState.PUBLISHED).prefetch_related(columns).order_by("pk")
    stored = tuple(Stored(row.pk, to_template(row), row.origin) for row in rows)
    by_family: dict[Family, tuple[Stored, ...]] = {}
    for one in stored:
        by_family[one.template.family] = (*by_family.get(one.template.family, ()), one)
    return Shelf(stored, by_family, {one.id: one for one in stored})
