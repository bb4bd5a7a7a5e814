"""What one file of the set is made of, before it is written."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum, auto
from pathlib import Path

from datasync.ingest.plan import FileFormat
from datasync.samples.content import SheetContent
from datasync.samples.files import XLSX, Layout
from datasync.samples.truth import Family, Outcome, Period, Shop

Build = Callable[[random.Random, int], SheetContent]
"""Makes content of about that many rows."""

_EXTENSIONS = {FileFormat.XLSX: "xlsx", FileFormat.XLS: "xls", FileFormat.HTML: "xls", FileFormat.CSV: "csv"}


class Naming(Enum):
    """Which convention makes up the file's name, where it has no ``name`` of its own."""

    STANDARD = auto()
    OLDER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One file to make; it lies under `{platform}/{shop}/` unless ``folder`` says otherwise.

    ``weight`` is its share of the set's rows, roughly the rows it has in a set of 100,000; 0 for files that have as
    many rows as their period has days or hours. Files of one ``stream`` draw the same random numbers: they are exports
    of the same rows at different times. ``shop`` None: the rows name their shop, or nobody knows it.
    """

    header_set: str
    family: Family | None
    shop: Shop | None
    period: Period
    build: Build | None = None
    write_whole: Callable[[Path], None] | None = None  # for files that are no ordinary sheet
    layout: Layout = XLSX
    weight: int = 0
    stream: str = ""
    naming: Naming = Naming.STANDARD
    name: str = ""
    folder: str | None = None
    extension: str = ""
    side_file: bool = False
    outcome: Outcome = Outcome.OK
    code: str = ""
    note: str = ""

    @property
    def collected_at(self) -> datetime:
        """A moment of the day after the period's end; its minutes tell files of one day apart."""
        seed = sum(map(ord, f"{self.header_set}{self.shop and self.shop.name}{self.note}"))
        moment = time(2 + seed % 7, seed % 60, self.period.last.day)
        return datetime.combine(self.period.last + timedelta(days=1), moment, tzinfo=UTC)

    @property
    def path(self) -> str:
        """Where the file lies below the set's folder."""
        folder = self.folder
        if folder is None:
            folder = f"{self.shop.platform}/{self.shop.name}/" if self.shop else ""
        return folder + (self.name or self._conventional_name())

    def _conventional_name(self) -> str:
        if self.family is None:
            raise ValueError("a file without a family needs a name")
        extension = self.extension or _EXTENSIONS[self.layout.format]
        if self.naming is Naming.OLDER and self.shop is not None:
            return older_name(self.family, self.shop, self.period, self.collected_at, extension)
        return standard_name(self.family, self.collected_at, extension)


def without_rows(build: Callable[[random.Random], SheetContent]) -> Build:
    """A build for content whose number of rows is that of its days or hours."""

    def build_all(source: random.Random, _rows: int) -> SheetContent:
        return build(source)

    return build_all


def standard_name(family: Family, collected_at: datetime, extension: str) -> str:
    """`{platform}_{domain}[_{sub_domain}]_{granularity}_{YYYYMMDD}_{HHMMSS}.{ext}`."""
    parts = [family.platform, family.domain, family.sub_domain, family.granularity, f"{collected_at:%Y%m%d_%H%M%S}"]
    return "_".join(part for part in parts if part) + f".{extension}"


def older_name(family: Family, shop: Shop, period: Period, collected_at: datetime, extension: str) -> str:
    """`{stamp}__{account}__{shop}__{domain}[.{sub}]__{granularity}__{from}_{to}.{ext}`."""
    domain = f"{family.domain}.{family.sub_domain}" if family.sub_domain else family.domain
    days = f"{period.first.isoformat()}_{period.last.isoformat()}"
    parts = [f"{collected_at:%Y%m%d_%H%M%S}", shop.account, shop.name, domain, family.granularity, days]
    return "__".join(parts) + f".{extension}"


def write_side_file(path: Path, recipe: Recipe) -> None:
    """Write `NAME.meta.json` beside ``path``, with what the name does not say."""
    family, shop, period = recipe.family, recipe.shop, recipe.period
    business: dict[str, str] = {"date_from": period.first.isoformat(), "date_to": period.last.isoformat()}
    if family:
        business |= {"source_platform": family.platform, "data_domain": family.domain}
        business |= {"sub_domain": family.sub_domain} if family.sub_domain else {}
        business |= {"granularity": family.granularity}
    if shop:
        business |= {"shop_id": shop.shop_id, "store_name": shop.name, "region": shop.region}
        business |= {"currency": shop.currency, "timezone": shop.timezone}
    collection = {
        "collection_platform": family.source_platform if family else "",
        "account": shop.account if shop else "",
        "original_path": f"downloads/{path.name}",
        "collected_at": recipe.collected_at.isoformat(),
    }
    text = json.dumps({"business_metadata": business, "collection_info": collection}, ensure_ascii=False, indent=2)
    path.with_name(path.name + ".meta.json").write_text(text + "\n", encoding="utf-8")
