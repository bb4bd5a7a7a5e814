"""One row of every model, as a sync would leave them."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from datasync import models
from datasync.choices import AuditAction, ExportKind, ExportState, ItemState, TaskState, TemplateState
from datasync.exceptions import HeaderChanged
from datasync.runs.errors import error_document
from tests.quarantine_rows import HEADERS, make_file, make_row, make_task

ERROR = error_document(HeaderChanged(missing="订单编号"))


def make_fact(model: type[models.Fact], file: models.CatalogFile, **values: Any) -> models.Fact:
    """A fact of a file, its original row kept under ``HEADERS``."""
    header_set, _ = models.HeaderSet.objects.get_or_create(digest="|".join(HEADERS), defaults={"headers": HEADERS})
    now = timezone.now()
    told: dict[str, Any] = {
        "record_key": uuid.uuid4(),
        "content_hash": uuid.uuid4(),
        "platform": file.platform,
        "shop": file.shop,
    }
    told |= {"granularity": "daily", "collected_at": now, "file_first": file, "file_last": file, "sheet_row": 2}
    told |= {"header_set": header_set, "created_at": now, "updated_at": now}
    told |= {"raw": json.dumps(["A1", "12.50", "<script>alert(1)</script>"])}
    return model._default_manager.create(**{**told, **values})


def make_template(*, state: TemplateState = TemplateState.PUBLISHED, **values: Any) -> models.HeaderTemplate:
    """A template of Shopee orders with two columns."""
    platform, _ = models.Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    told: dict[str, Any] = {"platform": platform, "source_platform": platform, "domain": "orders"}
    told |= {"granularity": "daily", "state": state, "identity": ["order_id", "sku"], "fingerprint": "f"}
    told |= {"ordinal": True, "variant": "default"}
    template = models.HeaderTemplate.objects.create(**{**told, **values})
    for position, (header, field) in enumerate((("Order ID", "order_id"), ("SKU", "sku"))):
        template.columns.create(position=position, header=header, field=field, kind="identifier", required=not position)
    return template


def one_of_each() -> dict[type[Any], Any]:
    """A row of every model that has a page, by model."""
    template = make_template()
    file = make_file(
        template=template,
        rows={"read": 3, "inserted": 2, "quarantined": 1},
        last_error=ERROR,
        match={"outcome": "noted", "added": ["x"], "renamed": [["a", "b"]]},
        profile=[{"header": "Order ID", "type": "text", "examples": ["A1"]}],
        description_sources={"platform": "name"},
        suggestion={"columns": [{"header": "A", "field": None, "kind": "text", "confidence": 0.5, "reason": "?"}]},
    )
    task = make_task(file, state=TaskState.PARTIAL, errors=[{"file_id": file.pk, "file": "orders.csv", **ERROR}])
    item = task.items.get()
    item.state, item.error, item.warnings = ItemState.FAILED, ERROR, [{"code": "NOTE", "message": "x"}]
    item.save()
    platform, shop = file.platform, file.shop
    assert platform is not None
    assert shop is not None
    told: dict[str, Any] = {"platform": platform, "shop": shop, "domain": "orders"}
    rows = [
        template,
        file,
        task,
        item,
        platform,
        shop,
        models.ShopAlias.objects.create(platform=platform, shop=shop, label="Shopee新加坡1店"),
        models.CollectionAccount.objects.create(platform=platform, account="shopee-main"),
        models.ComponentVersion.objects.create(component="collector", version="1.0"),
        make_row(file, 2, "A", "x", "", item=item),
        models.QualityReport.objects.create(
            **told, task=task, score=93.5, rows=3, missing_fields=["rating"], completeness={"order_id": 100.0}
        ),
        models.ConfirmedRows.objects.create(
            file=file,
            platform=platform,
            domain="orders",
            granularity="daily",
            collected_at=timezone.now(),
            keys=bytes(32),
        ),
        models.HeaderSet.objects.get(),
        models.ShopLimit.objects.create(user=User.objects.create_user("limited")),
        models.AuditEntry.objects.create(action=AuditAction.ROWS_DISCARDED, file=file, rows=1, note="broken"),
        models.ExportArchive.objects.create(
            what=ExportKind.CLEANED, file_ids=[file.pk], state=ExportState.READY, storage_name="exports/1.zip"
        ),
        *(make_fact(model, file) for model in models.FACT_MODELS.values()),
    ]
    return {type(row): row for row in rows}
