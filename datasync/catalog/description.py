"""What is known of a file before it is read, and who said so.

A file is described by its uploader, a side file, its name, its folder and, last, its content; the first that knows a
field decides it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime

from datasync.choices import DomainChoice, Granularity, SubDomain

DOMAINS = frozenset(DomainChoice.values)
SUB_DOMAINS = frozenset(SubDomain.values)
GRANULARITIES = frozenset(Granularity.values)
_DOMAIN_ALIASES = {"traffic": "analytics"}

UPLOADER = "uploader"
SIDE_FILE = "side_file"
NAME = "name"
FOLDER = "folder"
CONTENT = "content"
MODIFIED = "modified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What one source says of a file; "" and None stand for "it does not say".

    ``shop_id`` is the platform's own id of the shop, ``shop_label`` a text that names it. ``platform`` may be that of
    an ERP which exports for others, until it is settled whose business the rows are.
    """

    platform: str = ""
    source_platform: str = ""
    domain: str = ""
    sub_domain: str = ""
    granularity: str = ""
    shop_id: str = ""
    shop_label: str = ""
    region: str = ""
    currency: str = ""
    timezone: str = ""
    account: str = ""
    period_start: date | None = None
    period_end: date | None = None
    collected_at: datetime | None = None

    @property
    def complete(self) -> bool:
        """Whether it says enough to choose a template family."""
        if not (self.platform and self.domain and self.granularity):
            return False
        return (self.domain == DomainChoice.SERVICES) == bool(self.sub_domain)


FIELD_NAMES = tuple(field.name for field in fields(Description))


@dataclass(frozen=True, slots=True)
class Described:
    """A file's description, with the source of each field that is known."""

    description: Description = Description()
    sources: dict[str, str] = field(default_factory=dict)


def merge(said: Iterable[tuple[str, Description]]) -> Described:
    """One description out of several, highest precedence first.

    The id and label of a shop, and the two ends of a period, come from one source together. A sub-domain is dropped
    where the domain has none, and an inventory is always a snapshot.
    """
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for source, description in said:
        told = {name: getattr(description, name) for name in FIELD_NAMES if getattr(description, name)}
        for group in (("shop_id", "shop_label"), ("period_start", "period_end")):
            if any(name in values for name in group):
                told = {name: value for name, value in told.items() if name not in group}
        for name, value in told.items():
            if name not in values:
                values[name] = value
                sources[name] = source
    if values.get("domain") != DomainChoice.SERVICES:
        values.pop("sub_domain", None)
        sources.pop("sub_domain", None)
    if values.get("domain") == DomainChoice.INVENTORY:
        values["granularity"] = str(Granularity.SNAPSHOT)
        sources.setdefault("granularity", sources["domain"])
    return Described(replace(Description(), **values), sources)  # type: ignore[arg-type]


def domain_of(word: str) -> str:
    """The domain that a word names, or ""; ``traffic`` is an old name of ``analytics``."""
    word = word.strip().casefold()
    word = _DOMAIN_ALIASES.get(word, word)
    return word if word in DOMAINS else ""


def sub_domain_of(word: str) -> str:
    """The sub-domain that a word names, or ""."""
    word = word.strip().casefold()
    return word if word in SUB_DOMAINS else ""


def granularity_of(word: str) -> str:
    """The granularity that a word names, or ""."""
    word = word.strip().casefold()
    return word if word in GRANULARITIES else ""
