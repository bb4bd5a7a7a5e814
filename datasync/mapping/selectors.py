"""Look-ups of header templates."""

from __future__ import annotations

from datasync.fields import Domain
from datasync.mapping.store import Shelf, Stored, shelf
from datasync.mapping.template import Family, Template
from datasync.models import CatalogFile


def templates_for(family: Family) -> tuple[Template, ...]:
    """The published templates of a family, all variants."""
    return tuple(stored.template for stored in stored_for(family))


def stored_for(family: Family, *, on: Shelf | None = None) -> tuple[Stored, ...]:
    """The published templates of a family with their primary keys."""
    return (on or shelf()).by_family.get(family, ())


def sample_rows(file: CatalogFile) -> list[list[str | None]]:
    """Values of each column as the catalogue keeps them; those of one row need not have stood in one row."""
    columns = [entry.get("examples", ()) for entry in file.profile]
    depth = max(map(len, columns), default=0)
    return [[values[row] if row < len(values) else None for values in columns] for row in range(depth)]


def family_of_file(file: CatalogFile) -> Family | None:
    """The family that a file's description names; None while platform, domain or granularity is missing."""
    if not (file.platform_id and file.domain and file.granularity):
        return None
    if (file.domain == Domain.SERVICES) != bool(file.sub_domain):
        return None
    return Family(
        platform=file.platform_id,
        source_platform=file.source_platform_id or file.platform_id,
        domain=Domain(file.domain),
        granularity=file.granularity,
        sub_domain=file.sub_domain,
    )
