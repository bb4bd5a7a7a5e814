"""dlt's merge at its best: Arrow in, COPY from CSV, no unique index."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")

import dlt

from bench.peers.columns import KEY, TABLE, typed_frame


def load(path: Path, database: str) -> float:
    """Seconds from the file to the merged table."""
    with tempfile.TemporaryDirectory(prefix="bench-dlt-") as folder:
        pipeline = dlt.pipeline(
            "bench",
            destination=dlt.destinations.postgres(credentials=database.replace("@", ":any@", 1)),
            dataset_name="public",
            pipelines_dir=folder,
        )
        begun = time.perf_counter()
        pipeline.run(
            typed_frame(path).to_arrow(),
            table_name=TABLE,
            write_disposition={"disposition": "merge", "strategy": "delete-insert"},
            primary_key=KEY,
            loader_file_format="csv",
        )
        return time.perf_counter() - begun
