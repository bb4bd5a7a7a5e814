"""Two people at the same templates: nothing is lost, nothing is made twice, and nobody reads an outdated shelf."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction

from datasync.access import EVERYTHING
from datasync.catalog.services import catalogue_path
from datasync.choices import TemplateOrigin
from datasync.fields import Domain
from datasync.mapping import services
from datasync.mapping.store import shelf
from datasync.mapping.template import Family
from datasync.mapping.versions import find_template
from datasync.models import CatalogFile, HeaderTemplate
from tests.templates_support import FAMILY, draft, template

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = replace(FAMILY, platform="lazada", source_platform="lazada")
needs_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")


def in_a_thread(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.fixture
def shopify(settings: Any, tmp_path: Path) -> CatalogFile:
    """A Shopify export, for which no template comes along."""
    settings.DATA_ROOTS, settings.GROWING_SECONDS = [tmp_path], 0
    services.load_builtin_templates()
    path = tmp_path / "shopify_orders_daily_20260101_000000.csv"
    rows = "".join(f"#{number},2026-01-01 10:00:00 +0800,SKU-{number},2,10.50\n" for number in range(1001, 1021))
    path.write_text("Name,Created at,Lineitem sku,Lineitem quantity,Total\n" + rows)
    return catalogue_path(path)


@needs_postgres
def test_what_is_committed_last_is_on_the_shelf_whenever_it_began() -> None:
    """Published first, committed last: neither its id nor its time is the newest."""
    services.ensure_platforms()
    services.publish(draft())
    services.publish(services.new_version(template(family=OTHER), origin=TemplateOrigin.OPERATOR, actor=None))
    ours = draft("Order No", "SKU", "Quantity")
    theirs = services.new_version(
        template("Order Nr", "SKU", "Quantity", family=OTHER), origin=TemplateOrigin.OPERATOR, actor=None
    )
    published, others_done = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            services.publish_draft(ours.pk, sight=EVERYTHING)
            published.set()
            others_done.wait(20)

    thread = in_a_thread(slowly)
    assert published.wait(20)
    services.publish_draft(theirs.pk, sight=EVERYTHING)
    assert [one.id for one in shelf().by_family[OTHER]] == [theirs.pk]
    others_done.set()
    thread.join()
    assert [one.id for one in shelf().by_family[FAMILY]] == [ours.pk]


@needs_postgres
def test_changes_of_two_people_are_both_kept() -> None:
    row = draft()
    changed, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            services.change_draft(row.pk, {"header_row": 3})
            changed.set()
            go_on.wait(20)

    first = in_a_thread(slowly)
    assert changed.wait(20)
    second = in_a_thread(lambda: services.change_draft(row.pk, {"ordinal": True}))
    second.join(0.3)
    assert second.is_alive()
    go_on.set()
    first.join()
    second.join()
    told = find_template(row.pk)
    assert (told.header_row, told.ordinal) == (3, True)


@needs_postgres
def test_a_draft_that_is_moved_meanwhile_is_found_again() -> None:
    row = draft()
    moved, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            services.change_draft(row.pk, {"variant": "elsewhere"})
            moved.set()
            go_on.wait(20)

    first = in_a_thread(slowly)
    assert moved.wait(20)
    second = in_a_thread(lambda: services.change_draft(row.pk, {"ordinal": True}))
    second.join(0.3)
    go_on.set()
    first.join()
    second.join()
    told = find_template(row.pk)
    assert (told.variant, told.ordinal) == ("elsewhere", True)


def test_a_suggestion_is_published_once_however_many_ask(shopify: CatalogFile) -> None:
    made = list[int]()
    threads = [
        in_a_thread(lambda: made.append(services.publish_suggestion(shopify, sight=EVERYTHING).pk)) for _ in range(3)
    ]
    for thread in threads:
        thread.join()
    assert len(made) == 3
    assert len(set(made)) == 1
    assert HeaderTemplate.objects.filter(origin=TemplateOrigin.SUGGESTED).count() == 1


def test_a_second_file_with_that_header_gets_the_same_template(shopify: CatalogFile) -> None:
    row = services.publish_suggestion(shopify, sight=EVERYTHING)
    CatalogFile.objects.filter(pk=shopify.pk).update(template=None, match={})
    shopify.refresh_from_db()
    assert services.publish_suggestion(shopify, sight=EVERYTHING) == row
    shopify.refresh_from_db()
    assert shopify.template_id == row.pk
    assert connection.in_atomic_block is False
    assert Family("shopify", "shopify", Domain.ORDERS, "daily") in shelf().by_family
