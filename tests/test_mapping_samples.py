"""The built-in templates and the suggestions against files as the marketplaces write them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from datasync.fields import Domain
from datasync.ingest.plan import SheetHead
from datasync.ingest.read import reader
from datasync.mapping.header_row import find_header_row
from datasync.mapping.match import Match, Outcome, match
from datasync.mapping.suggest import suggest
from datasync.mapping.template import Family, Template
from datasync.mapping.template_file import builtin_templates
from datasync.samples.make import make_samples
from datasync.samples.truth import Outcome as Expected
from datasync.samples.truth import SampleFile
from datasync.samples.unknown import UnknownExport, unknown_exports

TEMPLATES = builtin_templates()
HEAD_ROWS = 60
READABLE = {Expected.OK, Expected.QUARANTINED}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[SampleFile, ...]:
    return make_samples(tmp_path_factory.mktemp("samples"), rows=3_000, today=date(2026, 2, 2)).files


@pytest.fixture(scope="module")
def unknown(tmp_path_factory: pytest.TempPathFactory) -> tuple[UnknownExport, ...]:
    return unknown_exports(tmp_path_factory.mktemp("unknown"), rows=60)


def head_of(path: Path) -> SheetHead:
    return reader().head(path, rows=HEAD_ROWS)


def family_templates(file: SampleFile) -> list[Template]:
    family = file.family
    assert family is not None
    domain = Domain(family.domain)
    key = Family(family.platform, family.source_platform, domain, family.granularity, family.sub_domain).key
    return [template for template in TEMPLATES if template.family.key == key]


def matches(files: tuple[SampleFile, ...], wanted: set[Expected]) -> Iterator[tuple[SampleFile, int | None, Match]]:
    for file in files:
        if file.outcome in wanted and file.family is not None:
            templates = family_templates(file)
            rows = head_of(file.path).rows
            row = find_header_row(rows, templates)
            at = file.header_row if row is None else row
            yield file, row, match(rows[at], templates, sample_rows=rows[at + 1 :])


def test_every_good_sample_is_found_and_syncable(samples: tuple[SampleFile, ...]) -> None:
    seen = 0
    for file, row, found in matches(samples, READABLE):
        assert row == file.header_row, file.path.name
        assert found.outcome.syncable, (file.path.name, found.as_dict())
        assert not found.contradictions
        assert found.template is not None
        assert found.template.header_row == file.header_row, file.path.name
        described = file.data_row > file.header_row + 1
        assert (found.template.data_row == file.data_row) is described, file.path.name
        seen += 1
    assert seen > 30


def test_a_drifted_sample_is_blocked(samples: tuple[SampleFile, ...]) -> None:
    drifted = list(matches(samples, {Expected.TEMPLATE_UPDATE_REQUIRED}))
    assert drifted
    for file, _, found in drifted:
        assert found.outcome is Outcome.BLOCKED, file.path.name
        assert found.missing_required or found.contradictions


def test_unknown_exports_are_suggested_right(unknown: tuple[UnknownExport, ...]) -> None:
    for export in unknown:
        rows = head_of(export.path).rows
        at = find_header_row(rows) or 0
        found = suggest(rows[at], rows[at + 1 :], platform=export.platform)
        assert (found.domain.value, found.sure) == (export.domain, True), export.path.name
        got = {column.header: column.field for column in found.columns if column.field}
        assert got.items() >= export.fields.items(), export.path.name
        assert "auto" not in {column.format for column in found.columns}, export.path.name
