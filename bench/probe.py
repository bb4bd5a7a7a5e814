"""A process of the product's own that syncs on demand: what a worker does, without the queue in between.

It is told by lines of JSON on standard input what to do, and answers each with one on standard output. ``python -m
bench.probe`` with the product's environment; ``bench.product.Probe`` talks to it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - the models exist only now

from datasync.access import EVERYTHING  # noqa: E402
from datasync.catalog.services import catalogue_path, scan  # noqa: E402
from datasync.choices import TASK_ACTIVE, FileState, TaskState, TemplateOrigin  # noqa: E402
from datasync.ingest.read import reader  # noqa: E402
from datasync.mapping.services import (  # noqa: E402
    ensure_platforms,
    load_builtin_templates,
    new_version,
    prepare_read,
    publish,
)
from datasync.mapping.store import to_template  # noqa: E402
from datasync.models import CatalogFile, HeaderTemplate, Shop, ShopAlias, SyncProgressTask, SyncTaskFile  # noqa: E402
from datasync.runs.claim import claim_next  # noqa: E402
from datasync.runs.close import close_if_done  # noqa: E402
from datasync.runs.execute import execute  # noqa: E402
from datasync.runs.remap.services import start_remap  # noqa: E402
from datasync.runs.services import submit_by_ids  # noqa: E402
from datasync.samples.shops import SHOPEE_SG  # noqa: E402

_POLL_SECONDS = 0.2
"""Seldom enough to cost the workers nothing: polling each 0.02 s took 8 % of a core."""
_CHANGED = ("包裹号", "package_id")
"""The column, and its field, in which two versions of the template differ."""


def install() -> None:
    """Tables, templates, and the shop whose exports are loaded."""
    call_command("migrate", verbosity=0)
    load_builtin_templates()
    ensure_platforms()
    shop, _ = Shop.objects.get_or_create(
        platform_id=SHOPEE_SG.platform,
        shop_id=SHOPEE_SG.shop_id,
        defaults={"name": SHOPEE_SG.name, "currency": SHOPEE_SG.currency, "timezone": SHOPEE_SG.timezone},
    )
    for label in SHOPEE_SG.aliases:
        ShopAlias.objects.get_or_create(platform_id=SHOPEE_SG.platform, label=label, defaults={"shop": shop})


def catalogue(path: str) -> int:
    """The id of a file in the root."""
    return catalogue_path(Path(path)).pk


def scan_root() -> list[int]:
    """The ids of the files in the root that were not synced yet, in the order of their names."""
    scan(sight=EVERYTHING)
    return list(
        CatalogFile.objects.filter(state=FileState.PENDING).order_by("storage_name").values_list("pk", flat=True)
    )


def sync(file_id: int) -> dict[str, Any]:
    """Claim to finish, then closing with the quality gate: seconds of both, and the books."""
    task = submit_by_ids(file_ids=[file_id], owner=None, sight=EVERYTHING).task
    begun = time.perf_counter()
    claim = claim_next(task.pk)
    if claim is None:
        raise RuntimeError(f"Nothing to claim in {task.task_id}.")
    execute(claim, task)
    finished = time.perf_counter()
    close_if_done(task)
    closed = time.perf_counter()
    item = SyncTaskFile.objects.get(task=task)
    counts = {name.removeprefix("rows_"): number for name, number in vars(item).items() if name.startswith("rows_")}
    return {"seconds": finished - begun, "closing": closed - finished, "counts": counts, "error": item.error}


def publish_change() -> int:
    """Publish a new version of the export's template, in which one column more or less is mapped; its id."""
    row = HeaderTemplate.objects.get(
        platform="shopee", source_platform="miaoshou", domain="orders", granularity="monthly", state="published"
    )
    template = to_template(row)
    columns = tuple(
        replace(column, field=None if column.field else _CHANGED[1]) if column.header == _CHANGED[0] else column
        for column in template.columns
    )
    draft = new_version(replace(template, columns=columns), origin=TemplateOrigin.OPERATOR, actor=None)
    return publish(draft).pk


def remap(template_id: int) -> dict[str, Any]:
    """Type all stored rows of a template again: seconds from claim to the end, and the books."""
    started = start_remap(template_id, owner=None, sight=EVERYTHING)
    if started is None:
        raise RuntimeError("No stored row is concerned.")
    begun = time.perf_counter()
    while (claim := claim_next(started.task.pk)) is not None:
        execute(claim, started.task)
    finished = time.perf_counter()
    close_if_done(started.task)
    closed = time.perf_counter()
    item = started.task.items.order_by("-rows_read")[0]
    counts = {name.removeprefix("rows_"): number for name, number in vars(item).items() if name.startswith("rows_")}
    return {"seconds": finished - begun, "closing": closed - finished, "counts": counts, "error": item.error}


def read(file_id: int) -> float:
    """Seconds of reading alone: the same reader, streaming through, nothing done with the rows."""
    request = prepare_read(CatalogFile.objects.get(pk=file_id))
    begun = time.perf_counter()
    with reader().open(request) as sheet:
        for _ in sheet:
            pass
    return time.perf_counter() - begun


def submit_and_wait(file_ids: list[int]) -> dict[str, Any]:
    """Seconds from submit to the closing of the task by workers, by the database's clock, and its books."""
    task = submit_by_ids(file_ids=file_ids, owner=None, sight=EVERYTHING).task
    while True:
        task = SyncProgressTask.objects.get(pk=task.pk)
        if task.state not in TASK_ACTIVE:
            break
        time.sleep(_POLL_SECONDS)
    if task.state != TaskState.COMPLETED or task.finished_at is None:
        raise RuntimeError(f"The task ended as {task.state}: {task.errors}")
    seconds = (task.finished_at - task.created_at).total_seconds()
    return {"seconds": seconds, "state": task.state, "message": task.message, "inserted": task.rows_inserted}


DOORS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (install, catalogue, scan_root, sync, publish_change, remap, read, submit_and_wait)
}


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        answer = DOORS[request["do"]](*request["with"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
