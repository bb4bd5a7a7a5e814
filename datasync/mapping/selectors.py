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
