"""Uploads that are kept in a bucket, for the tests of what that changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages

from datasync.mapping.services import load_builtin_templates
from tests.bucket_server import BucketServer, start_bucket_server


@pytest.fixture(scope="module")
def server() -> Iterator[BucketServer]:
    """A server of buckets."""
    running = start_bucket_server()
    yield running
    running.stop()


@pytest.fixture
def bucket(server: BucketServer, settings: Any, tmp_path: Path) -> Any:
    """A bucket of its own, in which uploads are kept."""
    settings.VAR_DIR, settings.UPLOAD_DIR, settings.DATA_ROOTS = tmp_path / "var", tmp_path / "none", [tmp_path / "in"]
    settings.STORAGES = settings.STORAGES | {"uploads": server.storage(server.make_bucket(), prefix="erp")}
    load_builtin_templates()
    return storages["uploads"]


def names_in(bucket: Any) -> list[str]:
    """What lies in the bucket."""
    return [entry.key.removeprefix("erp/") for entry in bucket.bucket.objects.all()]
