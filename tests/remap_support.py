"""Exports, corrected templates and what the fact tables hold, for the tests of the remap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasync.access import EVERYTHING
from datasync.catalog.services import catalogue_path
from datasync.choices import TASK_TERMINAL, TemplateOrigin, TemplateState
from datasync.mapping.services import load_builtin_templates, new_version, publish
from datasync.mapping.store import to_template
from datasync.mapping.template import Template, TemplateColumn
from datasync.models import (
    FACT_MODELS,
    CatalogFile,
    ConfirmedRows,
    HeaderTemplate,
    QuarantinedRow,
    SyncProgressTask,
    SyncTaskFile,
)
from datasync.runs import services
from datasync.runs.remap.services import start_remap
from datasync.runs.turns import take_turn
from tests.order_exports import HEADER as ORDER_HEADER
from tests.order_exports import line
from tests.runs_support import Bell, bell

__all__ = ["Bell", "bell", "inbox", "line", "take_turn"]
SHOP = "shopee/shopee_ana_sg"
TRAFFIC_HEADER = [
    "日期", "页面浏览数", "访客数", "平均页面访问数", "平均访客数", "现有访客", "新关注者", "平均转化率", "跳出率",
]  # fmt: skip
_UNTOLD = ("created_at", "updated_at")


@pytest.fixture
def inbox(tmp_path: Path, settings: Any) -> Path:
    """A root of its own, with the built-in templates loaded."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    return tmp_path


def write_orders(inbox: Path, lines: Iterable[Sequence[str]], *, name: str = "20260306_100000") -> Path:
    """A Shopee order export in English."""
    return _write(inbox, f"shopee_orders_daily_{name}.csv", [ORDER_HEADER, *lines])


def write_traffic(inbox: Path, days: Iterable[Sequence[str]], *, name: str = "20260401_100000") -> Path:
    """A shop's statistics, the header in the fourth row."""
    blank = [""] * len(TRAFFIC_HEADER)
    preamble = [["数据汇总", *blank[1:]], ["店铺", *blank[1:]], ["全部", *blank[1:]]]
    return _write(inbox, f"shopee_analytics_monthly_{name}.csv", [*preamble, TRAFFIC_HEADER, *days])


def day(date: str, *, views: str = "1.234") -> list[str]:
    """A day of a shop's statistics."""
    return [date, views, "100", "1,50", "12,5", "40", "3", "5,48%", "20%"]


def _write(inbox: Path, name: str, rows: Iterable[Sequence[str]]) -> Path:
    path = inbox / SHOP / name
    path.parent.mkdir(parents=True, exist_ok=True)
    quoted = ("\t".join(row) for row in rows)
    path.write_text("\n".join(quoted) + "\n", encoding="utf-8")
    return path


def synced(path: Path, **flags: bool) -> CatalogFile:
    """Catalogue a file and sync it."""
    file = catalogue_path(path)
    sync_again(file, **flags)
    return file


def sync_again(file: CatalogFile, **flags: bool) -> SyncTaskFile:
    """Sync a catalogued file; its item as it ended."""
    task = services.submit_single(file_id=file.pk, owner=None, **flags, sight=EVERYTHING)
    take_turn()
    file.refresh_from_db()
    return task.items.get()


def template_of(domain: str, *, granularity: str, variant: str = "default") -> HeaderTemplate:
    """The published template of Shopee's own exports."""
    return HeaderTemplate.objects.get(
        platform="shopee", source_platform="shopee", domain=domain, granularity=granularity, variant=variant,
        state=TemplateState.PUBLISHED,
    )  # fmt: skip


def corrected(row: HeaderTemplate, change: Callable[[Template], Template]) -> HeaderTemplate:
    """A published template changed and published as a new version."""
    draft = new_version(change(to_template(row)), origin=TemplateOrigin.OPERATOR, actor=None)
    return publish(draft)


def with_column(header: str, **changes: Any) -> Callable[[Template], Template]:
    """A template in which the column of this header says something else."""

    def change(template: Template) -> Template:
        columns = [replace(one, **changes) if one.header == header else one for one in template.columns]
        return replace(template, columns=tuple(columns))

    return change


def column(template: HeaderTemplate, header: str) -> TemplateColumn:
    """What a template says of a header."""
    return next(one for one in to_template(template).columns if one.header == header)


def remapped(template: HeaderTemplate) -> SyncProgressTask:
    """Remap a template and do a worker's part of the work."""
    started = start_remap(template.pk, owner=None, sight=EVERYTHING)
    assert started is not None
    while started.task.state not in TASK_TERMINAL:  # on a slow machine it takes more than one slice
        take_turn()
        started.task.refresh_from_db()
    return started.task


def facts() -> dict[str, list[dict[str, Any]]]:
    """All that the fact tables hold, but when it was written."""
    return {
        domain: [
            {name: value for name, value in row.items() if name not in _UNTOLD}
            for row in model._default_manager.order_by("record_key").values()
        ]
        for domain, model in FACT_MODELS.items()
    }


def from_scratch(*files: CatalogFile) -> dict[str, list[dict[str, Any]]]:
    """What the tables hold after all is thrown away and the files are synced again, in this order."""
    for model in FACT_MODELS.values():
        model._default_manager.all().delete()
    QuarantinedRow.objects.all().delete()
    ConfirmedRows.objects.all().delete()
    CatalogFile.objects.update(synced_at=None)
    for file in files:
        sync_again(file)
    return facts()


def counts(task_or_item: SyncProgressTask | SyncTaskFile) -> dict[str, int]:
    """The books that are not zero."""
    names = ("read", "inserted", "updated", "unchanged", "stale", "quarantined", "totals", "duplicates")
    found = {name: getattr(task_or_item, f"rows_{name}") for name in names}
    return {name: number for name, number in found.items() if number}
