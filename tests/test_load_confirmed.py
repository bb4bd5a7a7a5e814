"""What a file has confirmed holds until it is synced again, and is dropped when it confirms nothing then."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.catalog.services import catalogue_path
from datasync.choices import TaskState
from datasync.ingest.load import loader_for
from datasync.ingest.pipeline import ingest
from datasync.ingest.prepare import Preparer
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile, ConfirmedRows
from datasync.runs import services
from datasync.runs.turns import take_turn
from tests.runs_support import Bell, bell
from tests.sheets import ListSheet
from tests.test_load_order_amounts import FIELDS, Desk, line
from tests.test_runs_whole_way import write_export

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("known", [True, False])
def test_a_file_that_is_known_to_have_confirmed_nothing_costs_no_statement(known: bool) -> None:
    desk = Desk()
    plan = replace(desk.plan(0), confirmed_before=known)
    with CaptureQueriesContext(connection) as captured:
        ingest(sheet=ListSheet(FIELDS, [line("1")]), plan=plan, item_id=None, template_id=None,
               allow_quarantine=True, before_commit=lambda _: None)  # fmt: skip
    assert any(ConfirmedRows._meta.db_table in query["sql"] for query in captured) == known


def test_what_was_confirmed_is_looked_up_anew_in_each_transaction_of_a_loader() -> None:
    """A file whose stored rows are typed again lets others in between its chunks."""
    desk = Desk()
    first = [line("1", "50", order=order) for order in ("A1", "A2")]
    desk.sync(0, *first)
    desk.sync(1, line("2", order="A1"), line("2", order="A2"))
    plan = desk.plan(1)
    sheet = ListSheet(FIELDS, [line("2", "60", order="A1"), line("2", "60", order="A2")])
    (rows,) = (part.rows.with_columns(old_hash="content_hash") for part in Preparer(plan).parts(sheet))
    loader = loader_for(plan)
    for chunk in (rows[:1], rows[1:]):
        with loader.transaction():
            loader.begin()
            loader.update_retyped(chunk, apart=lambda _asked, carriers: carriers)
        desk.sync(2, *first[1:])
    assert (desk.amounts(order="A1"), desk.amounts(order="A2")) == ({"2": Decimal(60)}, {"1": Decimal(50)})


def test_new_content_of_a_file_confirms_nothing_any_more(tmp_path: Path, settings: Any, bell: Bell) -> None:
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    older = write_export(tmp_path, 1)
    newer = older.with_name("shopee_orders_daily_20260309_100000.csv")
    header, *lines = older.read_text(encoding="utf-8").split("\n")
    newer.write_text("\n".join([header, *lines, lines[0].replace("260301000000", "260309000000")]), encoding="utf-8")
    _synced(older)
    file = _synced(newer)
    assert len(ConfirmedRows.objects.get(file=file).keys) == len(lines) * 16
    _synced(newer)
    assert len(ConfirmedRows.objects.get(file=file).keys) == len(lines) * 16
    newer.write_text("\n".join([header, lines[0].replace("260301000000", "260309000001")]), encoding="utf-8")
    assert _synced(newer) == file
    assert not ConfirmedRows.objects.exists()


def _synced(path: Path) -> CatalogFile:
    file = catalogue_path(path)
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    take_turn()
    task.refresh_from_db()
    assert (task.state, task.errors) == (TaskState.COMPLETED, [])
    return file
