"""A process that remaps a template and tells the most memory that it ever held: ``python -m tests.remap_memory ID``."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Mapping

from erp.supervisor import BASE_DIR


def peak_of(template_id: int, *, rows: int, environment: Mapping[str, str]) -> float:
    """Megabytes; the process must have typed that many rows."""
    command = [sys.executable, "-m", "tests.remap_memory", str(template_id)]
    ended = subprocess.run(command, cwd=BASE_DIR, env=dict(environment), capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    updated, megabytes = ended.stdout.split()
    assert int(updated) == rows, ended.stderr
    return float(megabytes)


def main() -> None:
    """Submit, claim and execute, as a worker does."""
    import django  # noqa: PLC0415

    django.setup()
    from datasync.access import EVERYTHING  # noqa: PLC0415
    from datasync.runs.claim import claim_next  # noqa: PLC0415
    from datasync.runs.execute import execute  # noqa: PLC0415
    from datasync.runs.remap.services import start_remap  # noqa: PLC0415

    started = start_remap(int(sys.argv[1]), owner=None, sight=EVERYTHING)
    assert started is not None
    claim = claim_next(started.task.pk)
    assert claim is not None
    execute(claim, started.task)
    item = started.task.items.get()
    sys.stdout.write(f"{item.rows_updated} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f}\n")


if __name__ == "__main__":
    main()
