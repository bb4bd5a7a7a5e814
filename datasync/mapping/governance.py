"""The state of the house in figures: files by state, domain and platform, coverage, quarantine, the oldest waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from datasync.access import Sight
from datasync.choices import QUARANTINE_UNDECIDED, FileState
from datasync.mapping.coverage import Coverage, FileGroup, coverage_of, coverage_percent, file_groups
from datasync.models import CatalogFile, Platform, QuarantinedRow


@dataclass(slots=True)
class PlatformFiles:
    """A platform and how many of its files are in which state."""

    code: str
    name: str
    by_status: Counter[str] = field(default_factory=Counter)

    @property
    def files(self) -> int:
        """All its files."""
        return self.by_status.total()


@dataclass(frozen=True, slots=True)
class Waiting:
    """The file that has been waiting for its sync the longest."""

    file_id: int
    name: str
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures at one moment. Blank keys: files of which domain or platform is not known."""

    files: int
    by_status: dict[str, int]
    by_domain: dict[str, int]
    by_platform: dict[str, int]
    described_files: int
    covered_files: int
    template_coverage: float | None
    families: dict[str, int]
    quarantine_open: int
    oldest_pending: Waiting | None


def platforms(*, sight: Sight) -> list[PlatformFiles]:
    """Every platform that is known, with its files in sight by state."""
    found = {code: PlatformFiles(code, name) for code, name in Platform.objects.values_list("code", "name")}
    for group in file_groups(sight=sight):
        if group.platform in found:
            found[group.platform].by_status[group.state] += group.files
    return sorted(found.values(), key=lambda one: one.code)


def stats(*, sight: Sight) -> Stats:
    """The figures of the files in sight."""
    groups = file_groups(sight=sight)
    families = coverage_of(groups)
    standing = Counter(str(one.status) for one in families)
    return Stats(
        files=sum(group.files for group in groups),
        by_status=_counted((group.state, group) for group in groups),
        by_domain=_counted((group.domain, group) for group in groups),
        by_platform=_counted((group.platform or "", group) for group in groups),
        described_files=sum(one.files for one in families),
        covered_files=sum(one.covered for one in families),
        template_coverage=coverage_percent(families),
        families={str(status): standing[status] for status in Coverage},
        quarantine_open=QuarantinedRow.objects.filter(sight.rows(), state__in=QUARANTINE_UNDECIDED).count(),
        oldest_pending=_oldest_pending(sight),
    )


def _counted(keyed: Iterable[tuple[str, FileGroup]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for key, group in keyed:
        counts[key] += group.files
    return dict(sorted(counts.items()))


def _oldest_pending(sight: Sight) -> Waiting | None:
    pending = CatalogFile.objects.filter(sight.files(), state=FileState.PENDING).order_by("first_seen_at", "pk")
    row = pending.values_list("pk", "original_name", "first_seen_at").first()
    return Waiting(*row) if row else None
