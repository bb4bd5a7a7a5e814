"""Values that two variants of a template read in two ways: nobody chooses in silence, and no choice is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.choices import FileState, TemplateOrigin
from datasync.exceptions import HeaderChanged
from datasync.mapping import services as mapping
from datasync.mapping.choose import header_at
from datasync.mapping.drafts import new_version
from datasync.mapping.match import Match, Outcome, match
from datasync.mapping.publishing import publish
from datasync.mapping.store import to_template
from datasync.mapping.template import Template
from datasync.mapping.template_file import builtin_templates
from datasync.models import CatalogFile, HeaderTemplate
from tests.catalog_support import put, scan_one

STATISTICS = [one for one in builtin_templates() if one.family.key == "shopee/shopee/analytics/daily"]
HEADER = [
    "日期",
    "页面浏览数",
    "访客数",
    "平均页面访问数",
    "平均访客数",
    "现有访客",
    "新关注者",
    "平均转化率",
    "跳出率",
]
NAME = "shopee/shopee_1店_sg/shopee_analytics_daily_20251004_100000.csv"


def judged(*cells: str, templates: Sequence[Template] = STATISTICS) -> Match:
    return match(HEADER, templates, sample_rows=[[f"2025-10-0{day}", *cells] for day in range(1, 7)])


def report(*cells: str) -> bytes:
    rows = [",".join([f"2025-10-0{day}", *cells]) for day in range(1, 7)]
    return "\n".join(["a", "b", "c", ",".join(HEADER), *rows]).encode()


def test_one_value_that_only_one_variant_reads_decides() -> None:
    found = judged("1250", "1125", "1.125", "2.500", "10", "1", "5.48%", "3%")
    assert found.outcome.syncable
    assert found.template is not None
    assert found.template.variant == "dot"


def test_values_without_marks_are_the_same_by_all_variants() -> None:
    found = judged("1250", "1125", "1", "2", "10", "1", "5%", "3%")
    assert (found.outcome.syncable, found.contradictions) == (True, ())


def test_values_that_mean_two_things_block() -> None:
    found = judged("1250", "1125", "1.125", "2.500", "10", "1", "5%", "3%")
    assert found.outcome is Outcome.BLOCKED
    assert [one.header for one in found.contradictions] == ["平均页面访问数", "平均访客数"]
    assert "number format cannot be told" in found.contradictions[0].reason


def test_one_variant_alone_is_no_tie() -> None:
    (dot,) = [one for one in STATISTICS if one.variant == "dot"]
    assert judged("1250", "1125", "1.125", "2.500", "10", "1", "5%", "3%", templates=[dot]).outcome.syncable


def test_a_grouped_header_is_joined_as_the_reader_joins_it() -> None:
    rows = [["Order", "", "Fees", ""], ["Order ID", "SKU", "Commission", "Service"], ["1", "A", "2", "3"]]
    expected = ("Order / Order ID", "Order / SKU", "Fees / Commission", "Fees / Service")
    assert header_at(rows, row=0, header_rows=2) == expected


@pytest.fixture
def root(tmp_path: Path, settings: Any, db: None) -> Path:
    settings.DATA_ROOTS = [tmp_path]
    mapping.load_builtin_templates()
    return tmp_path


def test_a_tie_is_not_synced(root: Path) -> None:
    put(root, NAME, report("1250", "1125", "1.125", "2.500", "10", "1", "5%", "3%"))
    file = scan_one()
    request = mapping.prepare_read(file)
    from datasync.ingest.read import reader  # noqa: PLC0415

    with reader().open(request) as sheet, pytest.raises(HeaderChanged, match="number format cannot be told"):
        mapping.bind(file, sheet.info)


def test_a_correction_within_the_family_keeps_the_variant(root: Path) -> None:
    put(root, NAME, report("1250", "1125", "1.125", "2.500", "10", "1", "5.48%", "3%"))
    file = scan_one()
    services.describe_file(file, account="somebody", sight=EVERYTHING)
    assert file.template is not None
    assert file.template.variant == "dot"


def test_another_family_is_matched_with_the_files_values(root: Path) -> None:
    put(root, NAME, report("1250", "1125", "1.125", "2.500", "10", "1", "5.48%", "3%"))
    file = scan_one()
    services.describe_file(file, granularity="weekly", sight=EVERYTHING)
    assert file.template is not None
    assert (file.template.variant, file.template.granularity) == ("dot", "weekly")


def test_a_correction_forgets_no_contradiction(root: Path) -> None:
    put(root, NAME, report(*["无法解析的文字"] * 8))
    file = scan_one()
    assert file.match["contradictions"]
    services.describe_file(file, granularity="weekly", sight=EVERYTHING)
    assert file.match["contradictions"]
    assert file.match["outcome"] == "blocked"


def test_a_newer_version_of_the_variant_takes_its_place(root: Path) -> None:
    put(root, NAME, report("1250", "1125", "1.125", "2.500", "10", "1", "5.48%", "3%"))
    file = scan_one()
    assert file.template is not None
    newer = publish(new_version(to_template(file.template), origin=TemplateOrigin.OPERATOR, actor=None))
    file = CatalogFile.objects.get()
    request = mapping.prepare_read(file)
    from datasync.ingest.read import reader  # noqa: PLC0415

    with reader().open(request) as sheet:
        assert mapping.bind(file, sheet.info).template_id == newer.pk


def test_publishing_one_variant_does_not_take_the_files_of_another(root: Path) -> None:
    put(root, NAME, report("1250", "1125", "1.125", "2.500", "10", "1", "5.48%", "3%"))
    file = scan_one()
    CatalogFile.objects.update(state=FileState.TEMPLATE_UPDATE_REQUIRED)
    row = HeaderTemplate.objects.get(
        domain="analytics", platform="shopee", granularity="daily", variant="default", state="published"
    )
    publish(new_version(to_template(row), origin=TemplateOrigin.OPERATOR, actor=None))
    file.refresh_from_db()
    assert file.template is not None
    assert (file.template.variant, file.state) == ("dot", FileState.TEMPLATE_UPDATE_REQUIRED)
