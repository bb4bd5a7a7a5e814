"""Settle what a description leaves open by looking at the header: whose export it is, and which template fits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from datasync.catalog.description import CONTENT, Described, Description
from datasync.choices import DomainChoice, Granularity
from datasync.mapping.choose import Choice, HeadOf, choose
from datasync.mapping.match import MIN_FAMILY_SCORE
from datasync.mapping.store import Shelf, Stored
from datasync.mapping.suggestions import SuggestedHeader
from datasync.mapping.template import Family

_SPEAKS_OF_DOMAIN = 0.5
_PREFERRED = (Granularity.DAILY, Granularity.MONTHLY, Granularity.WEEKLY, Granularity.HOURLY, Granularity.SNAPSHOT)


@dataclass(frozen=True, slots=True)
class Settled:
    """A description as complete as it can be made, and the template that fits best, if any is about such a header."""

    described: Described
    choice: Choice | None = None


def settle(described: Described, *, shelf: Shelf, head_of: HeadOf) -> Settled:
    """Fill what is not known of a file's family from the template that fits its header best.

    A file that an ERP exported for others belongs to the platform whose template fits. Where no template fits, the
    description stays as open as it is, except that whoever's business it is exported it.
    """
    described = _told_by_erp(described, shelf)
    description = described.description
    candidates = [stored for stored in shelf.stored if _agrees(stored.template.family, description)]
    choice = choose(head_of, _one_granularity(candidates, description))
    if choice is not None and _decides(choice, description):
        described = _completed(described, choice.stored.template.family)
    else:
        choice = choice if choice is not None and _known_family(description) else None
    return Settled(_with_source(described), choice)


def guess(described: Described, suggested: SuggestedHeader) -> Described:
    """Fill domain and granularity from what a suggested mapping speaks of. Whose it is, no such header says."""
    description, sources = described.description, dict(described.sources)
    filled: dict[str, str] = {}
    if not description.domain and suggested.suggestion.domain_confidence >= _SPEAKS_OF_DOMAIN:
        filled["domain"] = suggested.suggestion.domain.value
    domain = description.domain or filled.get("domain", "")
    if domain and not description.granularity:
        is_stock = domain == DomainChoice.INVENTORY
        filled["granularity"] = str(Granularity.SNAPSHOT if is_stock else _of_period(description))
    sources |= dict.fromkeys(filled, CONTENT)
    return Described(replace(description, **filled), sources)  # type: ignore[arg-type]


def _told_by_erp(described: Described, shelf: Shelf) -> Described:
    """Move an ERP from platform to source platform, unless the ERP has data of that domain of its own."""
    description = described.description
    erp = description.platform
    if erp not in shelf.erps:
        return described
    own = any(
        family.platform == erp and description.domain in {"", family.domain}
        for family in (stored.template.family for stored in shelf.stored)
    )
    if own and description.domain:
        return described
    sources = dict(described.sources)
    sources["source_platform"] = sources.pop("platform")
    return Described(replace(description, platform="", source_platform=erp), sources)


def _agrees(family: Family, description: Description) -> bool:
    told = (
        (description.platform, family.platform),
        (description.source_platform, family.source_platform),
        (description.domain, family.domain),
        (description.sub_domain, family.sub_domain),
        (description.granularity, family.granularity),
    )
    return all(known in {"", stated} for known, stated in told)


def _one_granularity(candidates: Sequence[Stored], description: Description) -> Iterable[Stored]:
    """Families that differ by granularity alone share their header: keep one of each, by the period that is known."""
    if description.granularity:
        return candidates
    preferred = [_of_period(description), *_PREFERRED]
    kept: dict[tuple[str, str, str, str, str], Stored] = {}
    for stored in candidates:
        family = stored.template.family
        key = (family.platform, family.source_platform, family.domain, family.sub_domain, stored.template.variant)
        before = kept.get(key)
        rank = preferred.index(Granularity(family.granularity))
        if before is None or rank < preferred.index(Granularity(before.template.family.granularity)):
            kept[key] = stored
    return kept.values()


def _of_period(description: Description) -> Granularity:
    if description.period_start is None or description.period_end is None:
        return Granularity.DAILY
    days = (description.period_end - description.period_start).days + 1
    if days == 1:
        return Granularity.DAILY
    return Granularity.WEEKLY if days <= 7 else Granularity.MONTHLY


def _known_family(description: Description) -> bool:
    return bool(description.platform and description.domain)


def _decides(choice: Choice, description: Description) -> bool:
    """Whether the fit is good enough to say what the file is, as far as that is not known already."""
    if _known_family(description) and description.complete:
        return True
    return choice.match.outcome.syncable and choice.match.score >= MIN_FAMILY_SCORE


def _completed(described: Described, family: Family) -> Described:
    description, sources = described.description, dict(described.sources)
    stated = {
        "platform": family.platform,
        "source_platform": family.source_platform,
        "domain": str(family.domain),
        "sub_domain": family.sub_domain,
        "granularity": family.granularity,
    }
    filled = {name: value for name, value in stated.items() if value and not getattr(description, name)}
    sources |= dict.fromkeys(filled, CONTENT)
    return Described(replace(description, **filled), sources)  # type: ignore[arg-type]


def _with_source(described: Described) -> Described:
    """Who exported it is whose business it is, unless something says otherwise."""
    description = described.description
    if description.source_platform or not description.platform:
        return described
    sources = dict(described.sources)
    if "platform" in sources:
        sources["source_platform"] = sources["platform"]
    return Described(replace(description, source_platform=description.platform), sources)
