"""Coverage and figures: counted right, by a number of queries that does not grow."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasync.access import EVERYTHING
from datasync.choices import FileState
from datasync.mapping import governance, services
from datasync.mapping.coverage import Coverage, coverage, coverage_percent, file_groups, filter_families
from datasync.models import CatalogFile, HeaderTemplate, Platform
from tests.quarantine_rows import make_file, make_row
from tests.templates_support import draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def row() -> HeaderTemplate:
    return services.publish(draft())


def files(count: int, *, fit: str = "exact", start: int = 0, **values: Any) -> list[CatalogFile]:
    match = {"outcome": fit} if fit else {}
    return [make_file(f"{fit}-{start + number}.csv", match=match, **values) for number in range(count)]


def test_the_database_keeps_the_fit_beside_the_match(row: HeaderTemplate) -> None:
    file = make_file(match={"outcome": "noted"})
    CatalogFile.objects.filter(pk=file.pk).update(match={"outcome": "blocked"})
    assert CatalogFile.objects.get(pk=file.pk).template_fit == "blocked"
    CatalogFile.objects.filter(pk=file.pk).update(match={})
    assert CatalogFile.objects.get(pk=file.pk).template_fit == ""


def test_a_family_whose_files_all_fit_is_covered(row: HeaderTemplate) -> None:
    made = files(2, template=row) + files(1, fit="noted", template=row)
    (one,) = coverage(sight=EVERYTHING)
    assert (one.status, one.files, one.covered, one.drifted) == (Coverage.COVERED, 3, 3, 1)
    assert (one.variants, one.newest and one.newest.template_id) == (1, row.pk)
    assert [(old.template_id, old.files) for old in one.outdated] == [(row.pk, 1)]
    assert one.example_file_id == made[-1].pk
    assert coverage_percent([one]) == 100.0


def test_blocked_and_unmatched_files_need_an_update(row: HeaderTemplate) -> None:
    blocked = files(1, fit="blocked", template=row)[0]
    files(1, fit="exact", template=row, state=FileState.TEMPLATE_UPDATE_REQUIRED)
    unmatched = files(1, fit="")[0]
    files(1, fit="exact", start=9, template=row)
    (one,) = coverage(sight=EVERYTHING)
    assert (one.status, one.covered, one.blocked, one.unmatched) == (Coverage.NEEDS_UPDATE, 1, 2, 1)
    assert one.example_file_id == unmatched.pk > blocked.pk
    assert coverage_percent([one]) == 25.0


def test_without_a_published_template_a_family_is_missing(row: HeaderTemplate) -> None:
    files(1, template=row)
    services.archive(row)
    (one,) = coverage(sight=EVERYTHING)
    assert (one.status, one.covered, one.newest) == (Coverage.MISSING, 0, None)


def test_a_replaced_version_counts_as_what_replaced_it(row: HeaderTemplate) -> None:
    files(1, template=row, state=FileState.INGESTED)
    services.publish(services.copy_as_draft(row.pk, actor=None))
    (one,) = coverage(sight=EVERYTHING)
    assert (one.status, one.newest and one.newest.version) == (Coverage.COVERED, 2)


def test_a_file_to_be_synced_needs_a_published_template(row: HeaderTemplate) -> None:
    files(1, template=row)
    services.publish(services.copy_as_draft(row.pk, actor=None))
    (one,) = coverage(sight=EVERYTHING)
    assert (one.status, one.covered, one.unmatched) == (Coverage.NEEDS_UPDATE, 0, 1)


def test_deleted_and_undescribed_files_are_no_family(row: HeaderTemplate) -> None:
    files(1, state=FileState.DELETED)
    make_file("dark.csv", platform=None, source_platform=None, shop=None, domain="", granularity="")
    assert coverage(sight=EVERYTHING) == []
    assert coverage_percent([]) is None
    assert governance.stats(sight=EVERYTHING).files == 1


def test_uncovered_families_come_first_and_can_be_filtered(row: HeaderTemplate) -> None:
    files(5, template=row)
    files(1, fit="", domain="products", granularity="weekly")
    families = coverage(sight=EVERYTHING)
    assert [one.status for one in families] == [Coverage.MISSING, Coverage.COVERED]
    assert [one.family.domain for one in filter_families(families, status="missing")] == ["products"]
    assert [one.family.domain for one in filter_families(families, domain="orders", platform="shopee")] == ["orders"]
    assert filter_families(families, platform="tiktok") == []


def test_figures_of_the_house(row: HeaderTemplate) -> None:
    Platform.objects.create(code="tiktok", name="TikTok Shop")
    old, _new = files(2, template=row)
    CatalogFile.objects.filter(pk=old.pk).update(first_seen_at=timezone.now() - timedelta(days=3))
    make_row(files(1, fit="", state=FileState.PARTIAL)[0], 2, "A", "x", "")
    stats = governance.stats(sight=EVERYTHING)
    assert stats.by_status == {"partial": 1, "pending": 2}
    assert (stats.by_domain, stats.by_platform) == ({"orders": 3}, {"shopee": 3})
    assert (stats.described_files, stats.covered_files, stats.template_coverage) == (3, 2, 66.7)
    assert stats.families == {"missing": 0, "needs_update": 1, "covered": 0}
    assert stats.quarantine_open == 1
    assert stats.oldest_pending is not None
    assert stats.oldest_pending.file_id == old.pk
    platforms = {one.code: one for one in governance.platforms(sight=EVERYTHING)}
    assert (platforms["shopee"].files, platforms["shopee"].by_status["pending"]) == (3, 2)
    assert platforms["tiktok"].files == 0


def test_an_empty_house() -> None:
    stats = governance.stats(sight=EVERYTHING)
    assert (stats.files, stats.template_coverage, stats.oldest_pending) == (0, None, None)


def test_queries_do_not_grow_with_files_or_templates(row: HeaderTemplate) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            governance.stats(sight=EVERYTHING)
            governance.platforms(sight=EVERYTHING)
            coverage(sight=EVERYTHING)
        return len(captured)

    files(2, template=row)
    few = queries()
    files(30, template=row, start=10)
    files(5, fit="", domain="products")
    for number in range(5):
        services.publish(draft(variant=f"v{number}"))
    assert queries() == few == 8


def test_files_are_counted_along_an_index(row: HeaderTemplate) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL chooses by statistics, which a test's few rows do not give")
    with CaptureQueriesContext(connection) as captured:
        file_groups(sight=EVERYTHING)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + captured[0]["sql"])
        plan = str(cursor.fetchall())
    assert "USING INDEX file_figures" in plan
    assert "TEMP B-TREE" not in plan
