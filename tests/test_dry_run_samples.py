"""Dry runs of whole sets of exports: each says exactly what the sync right after it does, and leaves no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasync.access import EVERYTHING
from datasync.catalog.services import scan
from datasync.choices import FileState
from datasync.mapping.services import load_builtin_templates
from datasync.models import CatalogFile
from datasync.samples import make_samples
from tests.dry_runs import Compared, rehearse_and_sync
from tests.runs_support import Bell, bell

__all__ = ["bell"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def catalogue(tmp_path: Path, settings: Any) -> list[CatalogFile]:
    """A small set of all kinds of exports, the newest collection first, so that many rows come too late."""
    settings.DATA_ROOTS = [tmp_path]
    load_builtin_templates()
    make_samples(tmp_path, rows=900)
    scan(sight=EVERYTHING)
    return list(CatalogFile.objects.select_related("shop").order_by("-collected_at", "id"))


def test_every_sample_file_is_foretold(catalogue: list[CatalogFile], bell: Bell) -> None:
    compared: list[Compared] = []
    for number, file in enumerate(catalogue):
        strictly = number % 3 == 0
        compared.append(rehearse_and_sync(file, allow_quarantine=not strictly, only_with_template=number % 5 != 0))
        file.refresh_from_db()
        if strictly and file.state == FileState.FAILED:
            compared.append(rehearse_and_sync(file, only_with_template=False))
    for file in catalogue[::8]:
        file.refresh_from_db()
        compared.append(rehearse_and_sync(file))
    total = {name: sum(getattr(one.rehearsed.counts, name) for one in compared) for name in ("inserted", "unchanged")}
    assert min(total.values()) > 100
    kinds = {one.rehearsed.error["code"] for one in compared if one.rehearsed.error}
    assert {"ROWS_REJECTED", "HEADER_CHANGED", "NEEDS_DESCRIPTION"} <= kinds
