"""Where a fact comes from: the files that wrote it, the quarantine it may have been in, exports that confirmed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BinaryField, BooleanField, Func, Min, Q, QuerySet, Value

from datasync.access import Sight
from datasync.choices import ITEM_SUCCEEDED, QuarantineState, TaskKind
from datasync.facts.columns import original_row
from datasync.models import FACT_MODELS, CatalogFile, ConfirmedRows, Fact, QuarantinedRow, SyncTaskFile


@dataclass(frozen=True, slots=True)
class Origin:
    """A file that wrote the row.

    ``file`` is None where it is out of sight, or was removed without a trace: of it nothing but the id is told, which
    the fact has itself. Deleted files are shown.

    ``sheet_row`` is None where it is not known: the row was handed over to this file, which had confirmed it, when the
    one that wrote it was deleted. ``content_changed``: the file has, or may have, got other content since, so that the
    row is not to be looked for in what it holds now.
    """

    file: CatalogFile | None
    file_id: int
    sheet_row: int | None
    content_changed: bool = False


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


def lineage_of(fact: Fact, *, sight: Sight) -> Lineage:
    """The lineage of a fact that ``selectors.find`` gave: six statements, whatever there is."""
    both = CatalogFile.objects.in_bulk({fact.file_first_id, fact.file_last_id})
    contents = _Contents({pk: file for pk, file in both.items() if sight.sees_file(file)}, limited=sight.limited)
    last_row = None if _is_handed_over(fact) else fact.sheet_row
    return Lineage(
        first=contents.origin(fact.file_first_id, sheet_row=fact.first_sheet_row, written=fact.created_at),
        last=contents.origin(fact.file_last_id, sheet_row=last_row, written=fact.updated_at),
        raw=original_row(fact.header_set.names, fact.raw),
        released_from=_released(fact, sight),
        confirmed_by=list(_confirmations(fact).filter(sight.files("file__"))),
    )


def domain_of(fact: Fact) -> str:
    """The domain whose table the fact stands in."""
    return next(domain for domain, model in FACT_MODELS.items() if isinstance(fact, model))


def _released(fact: Fact, sight: Sight) -> QuarantinedRow | None:
    released = QuarantinedRow.objects.filter(sight.rows(), state=QuarantineState.RELEASED)
    rows = released.filter(record_key=fact.pk, domain=domain_of(fact))
    return rows.select_related("file", "decided_by").order_by("-decided_at").first()


class _Contents:
    """When which content of files in sight was synced; ``limited``: there are others."""

    def __init__(self, files: Mapping[int, CatalogFile], *, limited: bool) -> None:
        self._files, self._limited = files, limited
        self._current: dict[int, datetime] = {}
        self._others: set[int] = set()
        self._remapped: set[int] = set()
        synced = SyncTaskFile.objects.filter(file__in=files, state__in=ITEM_SUCCEEDED).order_by()
        groups = synced.values_list("file", "task__kind", "file_sha256").annotate(first=Min("started_at"))
        for file_id, kind, content, first in groups:
            if kind == TaskKind.REMAP:
                self._remapped.add(file_id)
            elif content not in {files[file_id].content_sha256, files[file_id].sha256}:
                self._others.add(file_id)
            elif first is not None:
                self._current[file_id] = min(first, self._current.get(file_id, first))

    def origin(self, file_id: int, *, sheet_row: int | None, written: datetime) -> Origin:
        """What is told of a file that wrote the row at this time."""
        file = self._files.get(file_id)
        if file is None and self._limited:
            return Origin(None, file_id, None)
        return Origin(file, file_id, sheet_row, self._changed_since(file_id, written))

    def _changed_since(self, file_id: int, written: datetime) -> bool:
        """Whether the row was written from other content than the file holds now.

        A remap writes rows anew without the file: afterwards the time says no more than that it may be so.
        """
        if file_id not in self._others:
            return False
        current = self._current.get(file_id)
        return current is None or written < current or file_id in self._remapped


def _is_handed_over(fact: Fact) -> bool:
    """Whether the last file never wrote the row, but confirmed it."""
    key = Value(fact.pk.bytes, output_field=BinaryField())
    return ConfirmedRows.objects.filter(_HoldsKey("keys", key), file=fact.file_last_id).exists()


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
