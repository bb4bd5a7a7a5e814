"""The lines of docs/api.md, from sign-in to a synced file, against a real server with a real worker."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasync.mapping.services import load_builtin_templates
from erp.supervisor import BASE_DIR
from tests.api import person_for_servers
from tests.conftest import test_environment
from tests.event_streams import web_process
from tests.order_exports import HEADER, line, text
from tests.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True)
TITLE = "## From sign-in to a synced file"
MARK = "line"
SHOWN_ADDRESS = "http://127.0.0.1:8000"


def lines() -> list[str]:
    """The lines of the page's first block of code."""
    section = (BASE_DIR / "docs" / "api.md").read_text("utf-8").split(TITLE, 1)[1].split("\n## ", 1)[0]
    return [text.removeprefix("    ") for text in section.splitlines() if text.startswith("    ")]


def run(script: list[str], *, folder: Path) -> list[str]:
    """What each line wrote; a line that fails ends the script."""
    told = "\n".join(f"{text}\necho '{MARK}'" for text in script)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", told], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    written = done.stdout.split(f"{MARK}\n")
    assert done.returncode == 0, f"{script[len(written) - 1]}\n{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
    return written[: len(script)]


def test_the_ten_lines_work(tmp_path: Path, worker: Callable[..., Worker]) -> None:
    script = lines()
    assert len(script) == 10
    load_builtin_templates()
    person_for_servers("li.na")
    (tmp_path / "orders.csv").write_text(text([line("260306000001"), line("260306000002")]), encoding="utf-8")
    worker()
    with web_process(test_environment(), threads=4, log=tmp_path / "web.log") as web:
        script = [one.replace(SHOWN_ADDRESS, f"http://127.0.0.1:{web.port}") for one in script]
        written = run(script, folder=tmp_path)
    values: list[Any] = [[json.loads(one) for one in text.splitlines()] for text in (written[3], *written[-2:])]
    (me,), (status, rows), facts = values
    assert me["username"] == "li.na"
    assert json.loads(written[5]) == HEADER
    assert "event: end" in written[7]
    assert (status, rows["read"], rows["inserted"]) == ("completed", 2, 2)
    assert sorted(fact["order_id"] for fact in facts) == ["260306000001", "260306000002"]
    assert all(set(fact) == {"order_id", "sku", "quantity"} for fact in facts)
