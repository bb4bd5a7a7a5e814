"""What a file's name and folder say. A name that follows no known convention to the letter says nothing of it."""

from __future__ import annotations

import calendar
import re
from collections.abc import Collection
from datetime import UTC, date, datetime, tzinfo
from pathlib import PurePosixPath

from datasync.catalog.description import (
    SUB_DOMAINS,
    Description,
    domain_of,
    granularity_of,
    sub_domain_of,
)
from datasync.catalog.shops import folded
from datasync.choices import DomainChoice

_STANDARD = re.compile(
    r"(?P<platform>[a-z][a-z0-9-]*)_(?P<domain>[a-z]+)"
    rf"(?:_(?P<sub_domain>{'|'.join(sorted(SUB_DOMAINS))}))?"
    r"_(?P<granularity>[a-z]+)_(?P<stamp>[0-9]{8}_[0-9]{6})",
    re.IGNORECASE,
)
_OLDER = re.compile(
    r"(?P<stamp>[0-9]{8}_[0-9]{6})__(?P<account>.+?)__(?P<shop>.+?)__(?P<domain>[a-z]+)(?:\.(?P<sub_domain>[a-z_]+?))?"
    r"__(?P<granularity>[a-z]+)(?:__(?P<first>[0-9]{4}-[0-9]{2}-[0-9]{2})_(?P<last>[0-9]{4}-[0-9]{2}-[0-9]{2}))?",
    re.IGNORECASE | re.DOTALL,
)
_DAYS = re.compile(r"(?<![0-9])([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})[_~-]([0-9]{4})\2([0-9]{2})\2([0-9]{2})(?![0-9])")
_MONTH = re.compile(r"(?<![0-9])(20[0-9]{2})-(0[1-9]|1[0-2])(?![0-9-])")
_DATED = re.compile(r"[0-9._-]+")


def from_name(name: str, *, platforms: Collection[str], stamp_zone: tzinfo = UTC) -> Description:
    """What a file's name says. ``stamp_zone`` is the local time of the collector that stamps the names."""
    stem = PurePosixPath(name).stem if "." in name else name
    if found := _STANDARD.fullmatch(stem):
        told = _from_standard(found, platforms, stamp_zone)
    elif found := _OLDER.fullmatch(stem):
        told = _from_older(found, platforms, stamp_zone)
    else:
        told = None
    return told or _from_days(stem)


def from_folder(folder: PurePosixPath, *, platforms: Collection[str], shops: Collection[str] = ()) -> Description:
    """What a file's folders below the root say; the deepest word of a kind wins.

    Right below a platform's folder stands a shop, elsewhere one of ``shops``, the known labels in folded form.
    """
    told: dict[str, str] = {}
    above = ""
    for part in folder.parts:
        word = part.strip()
        if word.casefold() in platforms:
            told["platform"] = word.casefold()
        elif domain := domain_of(word):
            told["domain"] = domain
            told.pop("sub_domain", None)
        elif sub_domain := sub_domain_of(word):
            told["sub_domain"] = sub_domain
        elif granularity := granularity_of(word):
            told["granularity"] = granularity
        elif folded(word) in shops or (above.casefold() in platforms and not _DATED.fullmatch(word)):
            told["shop_label"] = word
        elif platform := _platform_of_label(word, platforms):
            told["shop_label"] = word
            told.setdefault("platform", platform)
        above = word
    return Description(**told)  # type: ignore[arg-type]


def _from_standard(found: re.Match[str], platforms: Collection[str], zone: tzinfo) -> Description | None:
    platform = found["platform"].casefold()
    domain, granularity = domain_of(found["domain"]), granularity_of(found["granularity"])
    sub_domain = sub_domain_of(found["sub_domain"] or "")
    if platform not in platforms or not domain or not granularity or not _consistent(domain, sub_domain):
        return None
    return Description(
        platform=platform,
        domain=domain,
        sub_domain=sub_domain,
        granularity=granularity,
        collected_at=_stamp(found["stamp"], zone),
    )


def _from_older(found: re.Match[str], platforms: Collection[str], zone: tzinfo) -> Description | None:
    domain, granularity = domain_of(found["domain"]), granularity_of(found["granularity"])
    sub_domain = sub_domain_of(found["sub_domain"] or "")
    unknown_part = bool(found["sub_domain"]) and not sub_domain
    if not domain or not granularity or unknown_part or (sub_domain and domain != DomainChoice.SERVICES):
        return None
    first, last = _day(found["first"]), _day(found["last"])
    known = first is not None and last is not None and first <= last
    return Description(
        platform=_platform_of_label(found["shop"], platforms) or _platform_of_label(found["account"], platforms),
        domain=domain,
        sub_domain=sub_domain,
        granularity=granularity,
        shop_label=found["shop"],
        account=found["account"],
        period_start=first if known else None,
        period_end=last if known else None,
        collected_at=_stamp(found["stamp"], zone),
    )


def _from_days(stem: str) -> Description:
    """Names as the marketplaces give them: at most the days, as in ``Order.all.20260101_20260131``, or a month."""
    found = _DAYS.search(stem)
    if found is None:
        return _from_month(stem)
    first, last = _day("-".join(found.group(1, 3, 4))), _day("-".join(found.group(5, 6, 7)))
    if first is None or last is None or last < first:
        return Description()
    return Description(period_start=first, period_end=last)


def _from_month(stem: str) -> Description:
    found = _MONTH.search(stem)
    if found is None:
        return Description()
    year, month = int(found[1]), int(found[2])
    return Description(
        period_start=date(year, month, 1), period_end=date(year, month, calendar.monthrange(year, month)[1])
    )


def _consistent(domain: str, sub_domain: str) -> bool:
    return (domain == DomainChoice.SERVICES) == bool(sub_domain)


def _platform_of_label(label: str, platforms: Collection[str]) -> str:
    start = re.split(r"[_\s-]", label.strip().casefold(), maxsplit=1)[0]
    return start if start in platforms and start != label.strip().casefold() else ""


def _stamp(text: str, zone: tzinfo) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%d_%H%M%S").replace(tzinfo=zone)
    except ValueError:
        return None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
