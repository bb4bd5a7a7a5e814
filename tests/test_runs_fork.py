"""A worker's first process forks the others: a Polars that was used before would hang in every one of them."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import test_environment

LOAD = """
import os, django
django.setup()
import erp.celery, datasync.tasks
print([open(f"/proc/self/task/{thread}/comm").read().strip() for thread in os.listdir("/proc/self/task")])
"""


def test_loading_the_tasks_does_not_use_polars(db: None) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD], env=test_environment(), capture_output=True, text=True, check=True, timeout=60
    )
    assert "python" in done.stdout
    assert "polars-0" not in done.stdout, "something makes a frame or a series when it is imported"
