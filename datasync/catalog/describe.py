"""Put together what a side file, a name and a folder say of a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path, PurePosixPath

from datasync.access import Sight
from datasync.catalog import side_file
from datasync.catalog.description import FOLDER, MODIFIED, NAME, SIDE_FILE, UPLOADER, Described, Description, merge
from datasync.catalog.names import from_folder, from_name
from datasync.catalog.shops import ShopBook
from datasync.catalog.walk import Found
from datasync.mapping.store import Shelf
from datasync.models import Platform


@dataclass(slots=True)
class Knowledge:
    """What is the same for all files of a scan: platforms, shops and templates, read once, and what its person sees."""

    platforms: frozenset[str]
    shops: ShopBook
    shelf: Shelf
    zone: tzinfo
    sight: Sight

    @classmethod
    def now(cls, shelf: Shelf, zone: tzinfo, *, sight: Sight) -> Knowledge:
        """Read it from the database."""
        codes = Platform.objects.filter(active=True).values_list("code", flat=True)
        return cls(frozenset(codes), ShopBook(sight=sight), shelf, zone, sight)


def describe(
    found: Found, *, root: Path, knowledge: Knowledge, told: Description | None = None, name: str = ""
) -> Described:
    """What is known of a file before it is read. ``told`` is what its uploader says, ``name`` its original name."""
    path = PurePosixPath(found.name)
    said = [(UPLOADER, told)] if told else []
    if found.side_file:
        beside = side_file.from_side_file(
            root / found.side_file, platforms=knowledge.platforms, erps=knowledge.shelf.erps, zone=knowledge.zone
        )
        said.append((SIDE_FILE, beside))
    said.append((NAME, from_name(name or path.name, platforms=knowledge.platforms, stamp_zone=knowledge.zone)))
    said.append((FOLDER, from_folder(path.parent, platforms=knowledge.platforms, shops=knowledge.shops.labels)))
    said.append((MODIFIED, Description(collected_at=found.stamp.modified_at)))
    return merge(said)
