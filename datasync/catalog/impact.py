"""What would go if files were deleted: the rows that each wrote last, and all that hangs on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.db.models.functions import Length

from datasync.access import Sight
from datasync.catalog.heirs import Confirmations
from datasync.catalog.selectors import files as listed_files
from datasync.choices import QUARANTINE_UNDECIDED
from datasync.disk import UPLOADS
from datasync.exceptions import DataNotFound, WrongNumberOfFiles
from datasync.models import FACT_MODELS, CatalogFile, ConfirmedRows, QuarantinedRow, Shop

MOST_FILES = 1000
_BYTES_A_KEY = 16
_KEYS_AT_ONCE = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRows:
    """Rows of one domain and shop that a file wrote last.

    ``older`` of them an earlier export had before: what they held then is not kept, and does not come back. Of those of
    shops out of sight, which are told together, nothing is known but how many they are.
    """

    domain: str
    platform: str
    shop_id: str
    shop_name: str
    granularity: str
    period_start: date | None
    period_end: date | None
    rows: int
    older: int
    in_sight: bool = True

    @classmethod
    def out_of_sight(cls, rows: int) -> StoredRows:
        """So many of which nothing else is told."""
        blank: dict[str, Any] = dict.fromkeys(("domain", "platform", "shop_id", "shop_name", "granularity"), "")
        return cls(**blank, period_start=None, period_end=None, rows=rows, older=0, in_sight=False)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Rows that would not go with the file, because a newer export confirmed them: they become that export's.

    An export out of sight has no name, and no id that is told.
    """

    file_id: int
    file_name: str
    rows: int

    @property
    def told_id(self) -> int | None:
        """Its id for whoever sees the export."""
        return self.file_id if self.file_name else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What hangs on one file. ``confirmations`` are rows of other exports that this one repeated unchanged."""

    file: CatalogFile
    stored: tuple[StoredRows, ...] = ()
    heirs: tuple[HandedOver, ...] = ()
    undecided: int = 0
    decided: int = 0
    confirmations: int = 0

    @property
    def rows(self) -> int:
        """Rows whose last writer the file is."""
        return sum(part.rows for part in self.stored)

    @property
    def rows_of_older_exports(self) -> int:
        """Those of them that an earlier export had before."""
        return sum(part.older for part in self.stored)

    @property
    def in_sight(self) -> bool:
        """Whether all these rows are of shops in sight."""
        return all(part.in_sight for part in self.stored)

    @property
    def handed_over(self) -> int:
        """Those of them that would stay, as rows of newer exports."""
        return sum(heir.rows for heir in self.heirs)

    @property
    def quarantined(self) -> int:
        """All quarantined rows."""
        return self.undecided + self.decided

    @property
    def is_empty(self) -> bool:
        """Whether nothing in the database would go with the file."""
        return not (self.rows or self.quarantined or self.confirmations)

    @property
    def removes_bytes(self) -> bool:
        """An upload is ours to remove; a file in a scanned folder is not."""
        return self.file.root == UPLOADS


def delete_impacts(file_ids: Collection[int], *, sight: Sight) -> tuple[list[Impact], tuple[int, ...]]:
    """The impact of each file that exists, in the order asked for, and the ids of those that do not.

    Raises ``WrongNumberOfFiles``, and ``DataNotFound`` when none exists.
    """
    wanted = chosen_ids(file_ids)
    found = {file.pk: file for file in listed_files(sight=sight).filter(pk__in=wanted)}
    if not found:
        raise none_found(wanted)
    impacts = impacts_of([found[pk] for pk in wanted if pk in found], sight=sight)
    return impacts, tuple(pk for pk in wanted if pk not in found)


def chosen_ids(file_ids: Collection[int]) -> tuple[int, ...]:
    """Each id once; raises ``WrongNumberOfFiles``."""
    wanted = tuple(dict.fromkeys(file_ids))
    if not 1 <= len(wanted) <= MOST_FILES:
        raise WrongNumberOfFiles(most=MOST_FILES)
    return wanted


def none_found(wanted: Sequence[int]) -> DataNotFound:
    """The error for ids none of which is a file's."""
    return DataNotFound(what=", ".join(map(str, wanted[:10])))


def impacts_of(files: Sequence[CatalogFile], *, sight: Sight) -> list[Impact]:
    """What hangs on each of the files, which would go together: ten queries, and some for each newer export."""
    ids = [file.pk for file in files]
    stored = _stored(ids, sight)
    heirs = _heirs(stored, without=ids, sight=sight)  # of all rows, seen or not
    quarantined = _quarantined(ids)
    confirmed = dict(
        ConfirmedRows.objects.filter(file__in=ids).annotate(length=Length("keys")).values_list("file_id", "length")
    )
    return [
        Impact(
            file=file,
            stored=_as_seen(stored[file.pk]),
            heirs=tuple(heirs[file.pk]),
            undecided=quarantined[file.pk][0],
            decided=quarantined[file.pk][1],
            confirmations=confirmed.get(file.pk, 0) // _BYTES_A_KEY,
        )
        for file in files
    ]


def _as_seen(parts: Sequence[StoredRows]) -> tuple[StoredRows, ...]:
    seen = tuple(part for part in parts if part.in_sight)
    others = sum(part.rows for part in parts if not part.in_sight)
    return (*seen, StoredRows.out_of_sight(others)) if others else seen


def count_stored(file: CatalogFile) -> int:
    """How many rows the file wrote last."""
    return sum(QuerySet(model).filter(file_last=file).count() for model in FACT_MODELS.values())


def _stored(ids: Sequence[int], sight: Sight) -> dict[int, list[StoredRows]]:
    """By file. A file that was described anew between two syncs may have rows of several domains and shops."""
    groups: list[tuple[str, dict[str, Any]]] = []
    for domain, model in FACT_MODELS.items():
        grouped = (
            QuerySet(model)
            .filter(file_last__in=ids)
            .order_by("file_last", "platform", "shop", "granularity")
            .values("file_last", "platform", "shop", "granularity")
            .annotate(
                rows=Count("pk"),
                older=Count("pk", filter=~Q(file_first=F("file_last"))),
                first=Min("period_start"),
                last=Max("period_end"),
            )
        )
        groups += [(domain, group) for group in grouped]
    shops = Shop.objects.in_bulk({group["shop"] for _, group in groups if group["shop"] is not None})
    stored: dict[int, list[StoredRows]] = defaultdict(list)
    for domain, group in groups:
        shop = shops.get(group["shop"])
        stored[group["file_last"]].append(
            StoredRows(
                domain=domain,
                platform=group["platform"],
                shop_id=shop.shop_id if shop else "",
                shop_name=shop.name if shop else "",
                granularity=group["granularity"],
                period_start=group["first"],
                period_end=group["last"],
                rows=group["rows"],
                older=group["older"],
                in_sight=sight.sees_shop(group["shop"]),
            )
        )
    return stored


def _heirs(stored: dict[int, list[StoredRows]], *, without: Sequence[int], sight: Sight) -> dict[int, list[HandedOver]]:
    """By file; files are looked at together as long as their keys are not too many to be held at once."""
    owners: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for file_id, parts in stored.items():
        for part in parts:
            owners[part.domain][file_id] += part.rows
    counted: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for domain, rows in owners.items():
        for group in _groups(rows):
            for owner, heirs in Confirmations(domain, group, without=without).heirs().counts.items():
                for heir, count in heirs.items():
                    counted[owner][heir] += count
    named = {heir for heirs in counted.values() for heir in heirs}
    shown = CatalogFile.objects.filter(sight.files(), pk__in=named).values_list("pk", "original_name")
    names = dict(shown) if named else {}
    found: dict[int, list[HandedOver]] = defaultdict(list)
    for owner, heirs in counted.items():
        found[owner] = [HandedOver(heir, names.get(heir, ""), count) for heir, count in sorted(heirs.items())]
    return found


def _groups(rows: dict[int, int]) -> Iterator[list[int]]:
    """The files in groups of at most ``_KEYS_AT_ONCE`` rows; one with more is a group of its own."""
    group: list[int] = []
    size = 0
    for file_id, count in rows.items():
        if group and size + count > _KEYS_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(file_id)
        size += count
    if group:
        yield group


def _quarantined(ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """By file: rows that nobody has decided on yet, and those that somebody has."""
    undecided = Q(state__in=QUARANTINE_UNDECIDED)
    counted = (
        QuarantinedRow.objects.filter(file__in=ids)
        .order_by()
        .values("file")
        .annotate(undecided=Count("pk", filter=undecided), decided=Count("pk", filter=~undecided))
    )
    found: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    found |= {one["file"]: (one["undecided"], one["decided"]) for one in counted}
    return found
