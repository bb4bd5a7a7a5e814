"""Exports that no template covers: described by folder and content, suggested, published unchanged, then they fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasync.access import EVERYTHING
from datasync.catalog import services
from datasync.choices import FileState
from datasync.ingest.read import reader
from datasync.mapping import services as mapping
from datasync.models import CatalogFile
from datasync.samples.unknown import unknown_exports

pytestmark = pytest.mark.django_db


def test_each_gets_a_suggestion_that_can_be_published_as_it_is(tmp_path: Path, settings: object) -> None:
    settings.DATA_ROOTS = [tmp_path]  # type: ignore[attr-defined]
    mapping.load_builtin_templates()
    exports = {str(export.path.relative_to(tmp_path)): export for export in unknown_exports(tmp_path)}
    services.scan(sight=EVERYTHING)
    files = CatalogFile.objects.select_related("shop")
    assert {file.storage_name for file in files} == set(exports)
    for file in files:
        export = exports[file.storage_name]
        assert (file.state, file.platform_id, file.domain) == (FileState.PENDING, export.platform, export.domain)
        assert file.suggestion["sure"], file.storage_name
        template = mapping.publish_suggestion(file, sight=EVERYTHING)
        file.refresh_from_db()
        with reader().open(mapping.prepare_read(file)) as sheet:
            resolved = mapping.bind(file, sheet.info)
        assert resolved.template_id == template.pk
        fields = {column.header: column.field for column in resolved.plan.columns if column.field}
        assert export.fields.items() <= fields.items(), file.storage_name
