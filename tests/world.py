"""A small company: two shops, the people of each, and one of everything that an address of the API can name.

What belongs to the first shop is marked, so that a test can tell whose data an answer holds: ``SHOP_MARK`` stands in
everything of the shop, ``OWN_MARK`` in everything of its owner alone.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from datasync.choices import ExportKind, ExportState, FileState, ItemState, TaskKind, TaskState
from datasync.mapping.services import publish
from datasync.models import (
    CatalogFile,
    ExportArchive,
    HeaderTemplate,
    OrderLine,
    Platform,
    QuarantinedRow,
    Shop,
    ShopLimit,
    SyncProgressTask,
    SyncTaskFile,
)
from erp.models import ApiToken
from ratelimits.models import RateRule, UserQuota
from tests import facts_support
from tests.api import person
from tests.quarantine_rows import make_row
from tests.templates_support import HEADER, draft

SHOP_MARK, OWN_MARK = "Alphashop", "Ownersown"


@dataclass
class World:
    """People, and one of each thing; all of it belongs to the owner's shop, and the tasks to the owner."""

    owner: User
    teammate: User
    stranger: User
    staff: User
    limited: User  # staff of the stranger's shop, with every right
    shop: Shop
    file: CatalogFile  # on disk, pending, with a template
    synced: CatalogFile  # with a fact and a quarantined row
    gone: CatalogFile  # deleted
    ended: SyncProgressTask
    active: SyncProgressTask
    export: ExportArchive
    draft: HeaderTemplate
    published: HeaderTemplate
    row: QuarantinedRow
    fact: OrderLine
    token: ApiToken
    rule: RateRule


def company(folder: Path) -> World:
    """Make it; files lie in ``folder``, which has to be one of ``DATA_ROOTS``."""
    platform, _ = Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    shop, other = (
        Shop.objects.create(platform=platform, shop_id=name, name=name, timezone="UTC", currency="SGD")
        for name in (SHOP_MARK, "Othershop")
    )
    owner, teammate, stranger = (
        _limited(name, to) for name, to in (("owner", shop), ("teammate", shop), ("stranger", other))
    )
    limited = _limited("limited", other)
    User.objects.filter(pk=limited.pk).update(is_staff=True)
    staff = person("staff", is_staff=True)
    for boss in (staff, limited):
        boss.user_permissions.set(Permission.objects.all())
    published = publish(draft())
    file, synced, waiting, gone = (
        _file(folder, f"{SHOP_MARK}-{number}.csv", shop, published, state=state)
        for number, state in enumerate((FileState.PENDING, FileState.INGESTED, FileState.QUEUED, FileState.DELETED))
    )
    _file(folder, "other.csv", other, published)
    UserQuota.objects.create(user=owner, max_active_tasks=9)
    ended = _task(owner, synced, TaskState.PARTIAL, ItemState.FAILED)
    fact = facts_support.make(OrderLine, synced, order_id=f"{SHOP_MARK}-1", shop=shop)
    assert isinstance(fact, OrderLine)
    return World(
        owner=owner,
        teammate=teammate,
        stranger=stranger,
        staff=staff,
        limited=limited,
        shop=shop,
        file=file,
        synced=synced,
        gone=gone,
        ended=ended,
        active=_task(owner, waiting, TaskState.QUEUED, ItemState.QUEUED),
        export=_export(owner, synced),
        draft=draft(variant="second"),
        published=published,
        row=make_row(synced, 3, f"{SHOP_MARK}-2", "S2", "twelve", headers=HEADER),
        fact=fact,
        token=ApiToken.issue(user=owner, label=OWN_MARK)[0],
        rule=RateRule.objects.get_or_create(tier="normal", scope="default", endpoint="", per_minute=60)[0],
    )


def _limited(name: str, shop: Shop) -> User:
    user = person(name)
    ShopLimit.objects.create(user=user).shops.set([shop])
    return user


def _file(folder: Path, name: str, shop: Shop, read_by: HeaderTemplate, **values: Any) -> CatalogFile:
    path = folder / name
    path.write_text("\n".join([",".join(HEADER), *(f"{name}-{row},S{row},{row}" for row in range(3))]), "utf-8")
    told: dict[str, Any] = {
        "root": str(folder), "storage_name": name, "original_name": name, "size": path.stat().st_size,
        "modified_at": datetime.fromtimestamp(path.stat().st_mtime, tz=UTC), "sha256": uuid.uuid4().hex * 2,
        "content_sha256": uuid.uuid4().hex * 2,
        "platform": shop.platform, "source_platform": shop.platform, "shop": shop, "domain": "orders",
        "granularity": "daily", "template": read_by, "header": HEADER, "header_row": 0, "format": "csv",
    }  # fmt: skip
    return CatalogFile.objects.create(**(told | values))


def _task(owner: User, file: CatalogFile, state: TaskState, item: ItemState) -> SyncProgressTask:
    name = f"single_file_{file.pk}_{OWN_MARK}"
    ended = timezone.now() if state == TaskState.PARTIAL else None
    task = SyncProgressTask.objects.create(
        task_id=name, celery_task_id=f"celery-{name}", kind=TaskKind.SINGLE, owner=owner, state=state, total_files=1,
        failed_files=int(ended is not None), finished_at=ended, started_at=ended,
    )  # fmt: skip
    SyncTaskFile.objects.create(task=task, file=file, state=item, file_sha256=file.sha256, finished_at=ended)
    return task


def _export(owner: User, file: CatalogFile) -> ExportArchive:
    return ExportArchive.objects.create(
        owner=owner,
        what=ExportKind.ORIGINALS,
        file_ids=[file.pk],
        seen_shops=[file.shop_id],
        state=ExportState.READY,
        size=22,
        storage_name="archive.zip",
        finished_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=1),
    )
