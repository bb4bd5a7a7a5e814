"""Which families of exports the catalogue has seen, and whether published templates cover them.

All is counted by one grouped query, which PostgreSQL answers from an index alone, and one over the templates: their
number does not grow with the files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db.models import Count, Max

from datasync.access import Sight
from datasync.choices import FILE_UNSYNCED, FileState, TemplateState
from datasync.fields import Domain
from datasync.mapping.match import Outcome
from datasync.mapping.store import family_of
from datasync.mapping.template import Family
from datasync.models import CatalogFile, HeaderTemplate

_SYNCABLE = frozenset(outcome.value for outcome in Outcome if outcome.syncable)


class Coverage(StrEnum):
    """How a family stands, worst first."""

    MISSING = "missing"  # no template of it is published
    NEEDS_UPDATE = "needs_update"  # some of its files fit no published template
    COVERED = "covered"  # all its files fit


@dataclass(frozen=True, slots=True)
class FileGroup:
    """Files that agree in family, state and template. ``family`` None: it is not known what they hold."""

    platform: str | None
    domain: str
    family: Family | None
    state: str
    fit: str
    template_id: int | None
    files: int
    newest_file_id: int


@dataclass(frozen=True, slots=True)
class Outdated:
    """A template that its files' headers have moved away from, not so far that they are blocked."""

    template_id: int
    name: str
    files: int


@dataclass(frozen=True, slots=True)
class Published:
    """The template of a family that was published last."""

    template_id: int
    name: str
    version: int
    published_at: datetime | None


@dataclass(slots=True)
class FamilyCoverage:
    """A family's files: those that a published template fits, that are blocked, and that have no template."""

    family: Family
    files: int = 0
    covered: int = 0
    blocked: int = 0
    unmatched: int = 0
    variants: int = 0
    newest: Published | None = None
    outdated: list[Outdated] = field(default_factory=list)
    example_file_id: int = 0
    """The newest file that is not covered, or the newest of all."""

    @property
    def status(self) -> Coverage:
        """How the family stands."""
        if not self.variants:
            return Coverage.MISSING
        return Coverage.COVERED if self.covered == self.files else Coverage.NEEDS_UPDATE

    @property
    def drifted(self) -> int:
        """Covered files whose header differs by more than order and spelling."""
        return sum(one.files for one in self.outdated)


def file_groups(*, sight: Sight) -> list[FileGroup]:
    """The files of the catalogue that are in sight, counted; deleted ones are none."""
    names = ("platform_id", "source_platform_id", "domain", "sub_domain", "granularity")
    rows = CatalogFile.objects.filter(sight.files()).exclude(state=FileState.DELETED).order_by()
    counted = rows.values_list(*names, "state", "template_fit", "template_id").annotate(Count("pk"), Max("pk"))
    return [
        FileGroup(platform, domain, _family(platform, source, domain, sub_domain, granularity), *rest)
        for platform, source, domain, sub_domain, granularity, *rest in counted
    ]


def coverage(*, sight: Sight) -> list[FamilyCoverage]:
    """Every family of which files are in sight, the uncovered first, then those with the most files."""
    return coverage_of(file_groups(sight=sight))


def coverage_of(groups: Iterable[FileGroup]) -> list[FamilyCoverage]:
    """The same of files that are counted already."""
    shelf = _Templates()
    found: dict[Family, FamilyCoverage] = {}
    worst: dict[Family, int] = defaultdict(int)
    for group in groups:
        if group.family is None:
            continue
        one = found.setdefault(group.family, FamilyCoverage(group.family))
        one.files += group.files
        one.example_file_id = max(one.example_file_id, group.newest_file_id)
        if shelf.covers(group):
            one.covered += group.files
            if group.fit == Outcome.NOTED and group.template_id is not None:
                one.outdated.append(Outdated(group.template_id, shelf.names[group.template_id], group.files))
            continue
        worst[group.family] = max(worst[group.family], group.newest_file_id)
        if is_blocked(group):
            one.blocked += group.files
        else:
            one.unmatched += group.files
    for family, one in found.items():
        one.variants, one.newest = shelf.variants[family], shelf.newest.get(family)
        one.example_file_id = worst.get(family) or one.example_file_id
        one.outdated = list(_merged(one.outdated))
    order = list(Coverage)
    return sorted(found.values(), key=lambda one: (order.index(one.status), -one.files, one.family.key))


def filter_families(
    families: Iterable[FamilyCoverage], *, platform: str = "", domain: str = "", status: str = ""
) -> list[FamilyCoverage]:
    """The families that fit; what is blank does not matter."""
    return [
        one
        for one in families
        if platform in {"", one.family.platform} and domain in {"", one.family.domain} and status in {"", one.status}
    ]


def coverage_percent(families: Iterable[FamilyCoverage]) -> float | None:
    """The share of described files that a published template fits; None when there are no such files."""
    listed = list(families)
    files = sum(one.files for one in listed)
    return round(100 * sum(one.covered for one in listed) / files, 1) if files else None


def is_blocked(group: FileGroup) -> bool:
    """Whether the files have a template that their header no longer fits."""
    return group.state == FileState.TEMPLATE_UPDATE_REQUIRED or group.fit == Outcome.BLOCKED


class _Templates:
    """The templates as far as coverage is concerned.

    For a file that was synced a version that was replaced counts as what replaced it; one that waits for its sync
    needs a published one itself, as in ``in_use``.
    """

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.variants: dict[Family, int] = defaultdict(int)
        self.newest: dict[Family, Published] = {}
        self._variant_of: dict[int, tuple[Family, str]] = {}
        self._published: set[int] = set()
        published: dict[tuple[Family, str], None] = {}
        for row in HeaderTemplate.objects.order_by("published_at", "version", "pk"):
            family = family_of(row)
            self.names[row.pk] = str(row)
            self._variant_of[row.pk] = key = (family, row.variant or "default")
            if row.state == TemplateState.PUBLISHED:
                published[key] = None
                self._published.add(row.pk)
                self.newest[family] = Published(row.pk, str(row), row.version, row.published_at)
        for family, _variant in published:
            self.variants[family] += 1
        self._variants = published.keys()

    def covers(self, group: FileGroup) -> bool:
        """Whether a published template fits the files."""
        if group.template_id is None or is_blocked(group) or group.fit not in _SYNCABLE:
            return False
        if group.state in FILE_UNSYNCED:
            return group.template_id in self._published
        return self._variant_of.get(group.template_id) in self._variants


def _merged(outdated: Iterable[Outdated]) -> Iterator[Outdated]:
    """One entry a template, whatever the states of its files, the most files first."""
    names: dict[int, str] = {}
    counts: dict[int, int] = defaultdict(int)
    for one in outdated:
        names[one.template_id] = one.name
        counts[one.template_id] += one.files
    for template_id, files in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        yield Outdated(template_id, names[template_id], files)


def _family(
    platform: str | None, source_platform: str | None, domain: str, sub_domain: str, granularity: str
) -> Family | None:
    if not (platform and domain and granularity) or (domain == Domain.SERVICES) != bool(sub_domain):
        return None
    return Family(platform, source_platform or platform, Domain(domain), granularity, sub_domain)
