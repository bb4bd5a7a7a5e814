"""Where a fact comes from: the files that wrote it, the quarantine it may have been in, exports that confirmed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import BinaryField, BooleanField, Func, Q, QuerySet, Value

from datasync.choices import QuarantineState
from datasync.facts.columns import original_row
from datasync.models import FACT_MODELS, CatalogFile, ConfirmedRows, Fact, QuarantinedRow


@dataclass(frozen=True, slots=True)
class Origin:
    """A file that wrote the row. ``file`` is None where it was removed without a trace; deleted files are shown."""

    file: CatalogFile | None
    file_id: int
    sheet_row: int | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The history of one fact.

    ``raw`` is its original row by header; ``confirmed_by`` are newer exports that repeated the row unchanged.
    """

    first: Origin
    last: Origin
    raw: dict[str, str | None]
    released_from: QuarantinedRow | None
    confirmed_by: Sequence[ConfirmedRows]


class _HoldsKey(Func):
    """Whether sorted keys of 16 bytes each, joined, hold this one."""

    output_field = BooleanField()
    arity = 2
    template = "%(function)s(%(expressions)s) %%%% 16 = 1"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The function behind ``position(… in …)``, which knows bytes."""
        return self.as_sql(compiler, connection, function='pg_catalog."position"', **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """``instr`` knows bytes too."""
        return self.as_sql(compiler, connection, function="instr", **context)


def lineage_of(fact: Fact) -> Lineage:
    """The lineage of a fact that ``selectors.find`` gave: four statements, whatever there is."""
    files = CatalogFile.objects.in_bulk({fact.file_first_id, fact.file_last_id})
    return Lineage(
        first=Origin(files.get(fact.file_first_id), fact.file_first_id, fact.first_sheet_row),
        last=Origin(files.get(fact.file_last_id), fact.file_last_id, fact.sheet_row),
        raw=original_row(fact.header_set.names, fact.raw),
        released_from=_released(fact),
        confirmed_by=list(_confirmations(fact)),
    )


def domain_of(fact: Fact) -> str:
    """The domain whose table the fact stands in."""
    return next(domain for domain, model in FACT_MODELS.items() if isinstance(fact, model))


def _released(fact: Fact) -> QuarantinedRow | None:
    rows = QuarantinedRow.objects.filter(record_key=fact.pk, domain=domain_of(fact), state=QuarantineState.RELEASED)
    return rows.select_related("file", "decided_by").order_by("-decided_at").first()


def _confirmations(fact: Fact) -> QuerySet[ConfirmedRows]:
    scope = ConfirmedRows.objects.filter(
        Q(shop_id=fact.shop_id) | Q(shop_id=None),
        platform_id=fact.platform_id,
        domain=domain_of(fact),
        sub_domain=fact.sub_domain,
        granularity=fact.granularity,
        collected_at__gt=fact.collected_at,
    )
    key = Value(fact.pk.bytes, output_field=BinaryField())
    return scope.filter(_HoldsKey("keys", key)).select_related("file").defer("keys").order_by("-collected_at")
