"""Many rows of everything that the API lists, beside those of the small company."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from datasync.choices import FileState, ItemState, TaskState
from datasync.models import (
    CatalogFile,
    CollectionAccount,
    ComponentVersion,
    HeaderTemplate,
    OrderLine,
    Platform,
    QualityReport,
    QuarantinedRow,
    Shop,
    SyncProgressTask,
    SyncTaskFile,
)
from erp.models import ApiToken
from ratelimits.models import CreditEntry, RateLimitDay, RateLimitEvent, RateRule, UserQuota
from tests.facts_support import store, unsaved
from tests.world import World

_numbers = itertools.count(1)


def add(world: World, rows: int) -> None:
    """So many more of each, all of them the owner's or of the owner's shop."""
    numbers = list(itertools.islice(_numbers, rows))
    files = _files(world, numbers)
    _tasks(world, numbers, files)
    _places(world, numbers)
    _limits(world, numbers)
    store(unsaved(OrderLine, file, order_id=f"N{file.pk}", shop=world.shop) for file in files)
    QuarantinedRow.objects.bulk_create(_copies(world.row, numbers, lambda n: {"sheet_row": n + 10, "file": files[0]}))
    HeaderTemplate.objects.bulk_create(_copies(world.draft, numbers, lambda n: {"version": n + 100}))
    ApiToken.objects.bulk_create(_copies(world.token, numbers, lambda n: {"digest": f"{n:064}"}))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as PostgreSQL does by itself; a plan for empty tables takes minutes over full ones


def _files(world: World, numbers: list[int]) -> list[CatalogFile]:
    def told(number: int) -> dict[str, Any]:
        state = FileState.INGESTED if number % 2 else FileState.PENDING
        return {"storage_name": f"many-{number}.csv", "original_name": f"many-{number}.csv", "state": state}

    return CatalogFile.objects.bulk_create(_copies(world.synced, numbers, told))


def _tasks(world: World, numbers: list[int], files: list[CatalogFile]) -> None:
    """Ended and active ones of a file each, and one file more for each in the one that the company has ended."""
    made = SyncProgressTask.objects.bulk_create(
        SyncProgressTask(
            task_id=f"many_{number}", celery_task_id=f"celery_{number}", kind="single", owner=world.owner,
            state=TaskState.QUEUED if number % 2 else TaskState.COMPLETED, total_files=1,
        )
        for number in numbers
    )  # fmt: skip
    SyncTaskFile.objects.bulk_create(
        SyncTaskFile(task=task, file=file, file_sha256=file.sha256, state=ItemState.FAILED, finished_at=timezone.now(),
                     template=world.published, error={"code": "EMPTY_FILE"})
        for file, one in zip(files, made, strict=True)
        for task in (one, world.ended)
    )  # fmt: skip
    QualityReport.objects.bulk_create(
        QualityReport(task=task, platform=world.shop.platform, shop=world.shop, domain="orders", rows=1)
        for task in made
    )


def _places(world: World, numbers: list[int]) -> None:
    platforms = Platform.objects.bulk_create(Platform(code=f"p{number}", name=f"P {number}") for number in numbers)
    Shop.objects.bulk_create(Shop(platform=platform, shop_id=platform.code) for platform in platforms)
    accounts = CollectionAccount.objects.bulk_create(
        CollectionAccount(platform=world.shop.platform, account=f"account-{number}") for number in numbers
    )
    reached = CollectionAccount.shops.through
    reached.objects.bulk_create(reached(collectionaccount_id=one.pk, shop_id=world.shop.pk) for one in accounts)
    ComponentVersion.objects.bulk_create(
        ComponentVersion(component="collector", version=f"1.{number}", platform=world.shop.platform)
        for number in numbers
    )


def _limits(world: World, numbers: list[int]) -> None:
    now = timezone.now().replace(second=0, microsecond=0)
    people = User.objects.bulk_create(User(username=f"person-{number}") for number in numbers)
    UserQuota.objects.bulk_create(
        UserQuota(user=one, max_active_tasks=1, changed_at=now, changed_by=world.staff) for one in people
    )
    RateRule.objects.bulk_create(RateRule(tier=f"t{number}", scope="default", per_minute=5) for number in numbers)
    RateLimitEvent.objects.bulk_create(
        RateLimitEvent(at=now, last_at=now, key=f"user:{one.pk}", user=one, path="/api/x", method="GET",
                       scope="default", tier="normal", times=300)
        for one in people
    )  # fmt: skip
    RateLimitDay.objects.bulk_create(
        RateLimitDay(day=now.date(), path="/api/x", key=f"user:{one.pk}", refused=300) for one in people
    )
    CreditEntry.objects.bulk_create(
        CreditEntry(user=world.owner, kind="grant", amount=1, balance_after=number, key=f"many:{number}",
                    at=now + timedelta(seconds=number))
        for number in numbers
    )  # fmt: skip


def _copies(row: Any, numbers: list[int], told: Any) -> list[Any]:
    """Unsaved copies of a row, each with values of its own."""
    model = type(row)
    kept = {
        field.attname: getattr(row, field.attname)
        for field in model._meta.concrete_fields
        if not field.primary_key and not field.generated
    }
    made = []
    for number in numbers:
        values = told(number)
        named = {name: value for name, value in kept.items() if name.removesuffix("_id") not in values}
        made.append(model(**(named | values)))
    return made
