"""Which fields of a file's rows still hold what an earlier template wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from datasync.choices import ItemState, TaskKind, TemplateOrigin
from datasync.fields import FIELDS, Domain, Kind
from datasync.ingest.plan import NumberFormat, Plan
from datasync.ingest.read import reader
from datasync.mapping import services
from datasync.mapping.cleared import cleared_fields
from datasync.mapping.store import to_template
from datasync.mapping.template import Family, Template, TemplateColumn
from datasync.models import CatalogFile, HeaderTemplate, SyncProgressTask, SyncTaskFile
from tests.catalog_support import NAME, products, put, scan_one
from tests.sheets import make_plan

HEADER = ("order_id", "sku", "buyer_name", "profit")


def template(*fields: str, totals_on_every_line: bool = False) -> Template:
    """A template of the header that feeds each field from the column of that place; "" feeds none."""
    columns = [
        TemplateColumn(position, header, field or None, FIELDS[Domain.ORDERS][field].kind if field else Kind.TEXT)
        for position, (header, field) in enumerate(zip(HEADER, fields, strict=True))
    ]
    family = Family("shopee", "shopee", Domain.ORDERS, "daily", "")
    return Template(family, tuple(columns), ("order_id", "sku"), totals_on_every_line=totals_on_every_line)


def plan(*fields: str) -> Plan:
    made = make_plan(Domain.ORDERS, fields, identity=("order_id", "sku"))
    columns = (replace(column, header=header, format="") for column, header in zip(made.columns, HEADER, strict=True))
    return replace(made, columns=tuple(columns))


@pytest.mark.parametrize(
    ("before", "now", "cleared"),
    [
        (template(*HEADER), plan(*HEADER), set()),
        (template(*HEADER), plan("order_id", "sku", "", ""), {"buyer_name", "profit"}),
        (template("order_id", "sku", "profit", ""), plan("order_id", "sku", "", "profit"), {"profit"}),
        (template("order_id", "sku", "", "buyer_name"), plan("order_id", "sku", "buyer_name", ""), set()),
        (template(*HEADER, totals_on_every_line=True), plan(*HEADER), {"profit"}),
        (replace(template(*HEADER), number_format=NumberFormat.COMMA), plan(*HEADER), {"profit"}),
    ],
)
def test_what_an_earlier_template_leaves_behind(before: Template, now: Plan, cleared: set[str]) -> None:
    assert cleared_fields(previous=before, header=HEADER, plan=now) == cleared


def bound(file: CatalogFile) -> Plan:
    with reader().open(services.prepare_read(file)) as sheet:
        return services.bind(file, sheet.info).plan


def record_sync(file: CatalogFile, template_id: int | None) -> None:
    """A sync by the template, as its end writes it down."""
    task = SyncProgressTask.objects.create(kind=TaskKind.SINGLE, task_id=uuid4().hex, celery_task_id=uuid4().hex)
    SyncTaskFile.objects.create(task=task, file=file, state=ItemState.COMPLETED, template_id=template_id,
                                file_sha256=file.content_sha256, finished_at=timezone.now())  # fmt: skip
    file.synced_at = timezone.now()
    file.save()


@pytest.mark.django_db
def test_what_only_an_earlier_version_fed_is_cleared_at_every_sync(tmp_path: Path, settings: object) -> None:
    settings.DATA_ROOTS = [tmp_path]  # type: ignore[attr-defined]
    services.load_builtin_templates()
    put(tmp_path, NAME, products("1"))
    file = scan_one()
    assert file.template is not None
    record_sync(file, file.template_id)
    assert bound(file).cleared == frozenset()
    old = to_template(file.template)
    columns = (replace(column, field=None) if column.field == "likes" else column for column in old.columns)
    draft = services.new_version(replace(old, columns=tuple(columns)), origin=TemplateOrigin.OPERATOR, actor=None)
    services.publish(HeaderTemplate.objects.get(pk=draft.pk))
    file = CatalogFile.objects.select_related("shop", "template").get()
    assert bound(file).cleared == {"likes"}
    record_sync(file, draft.pk)
    assert bound(file).cleared == {"likes"}  # rows of an earlier content may come again
