"""A client generated from the API's document: it compiles strictly, refuses mistakes, and works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from datasync.mapping.services import load_builtin_templates
from tests.api import person_for_servers
from tests.conftest import test_environment
from tests.document import document
from tests.event_streams import web_process
from tests.order_exports import line, text
from tests.services import binary
from tests.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True)
SOURCE = Path(__file__).parent / "typescript"
OURS = ("example.ts", "mistakes.ts", "run.mjs", "tsconfig.json", "package.json")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the client, with the types generated from the document of now."""
    if not (SOURCE / "node_modules").is_dir():
        raise RuntimeError("The generator is not installed; run: make typescript")
    folder = tmp_path_factory.mktemp("typescript")
    for name in OURS:
        shutil.copy(SOURCE / name, folder)
    (folder / "node_modules").symlink_to(SOURCE / "node_modules")
    (folder / "schema.json").write_text(json.dumps(document(), default=str), encoding="utf-8")
    tool(folder, "openapi-typescript", "schema.json", "--output", "api.d.ts", "--default-non-nullable=false")
    return folder


def tool(folder: Path, name: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(folder / "node_modules" / ".bin" / name), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_compiles_and_each_mistake_is_found(project: Path) -> None:
    """A mistake that compiles is an error as well: its mark is then one too many."""
    tool(project, "tsc", "--strict", "--noEmit")


def test_it_works(project: Path, tmp_path: Path, worker: Callable[..., Worker]) -> None:
    tool(project, "tsc", "--outDir", ".")
    load_builtin_templates()
    person_for_servers("li.na")
    export = tmp_path / "shopee_orders_daily_20260306_100000.csv"
    export.write_text(text([line(f"26030600000{number}") for number in range(5)]), encoding="utf-8")
    worker()
    with web_process(test_environment(), threads=4, log=tmp_path / "web.log") as web:
        done = subprocess.run(
            [binary("node"), "run.mjs", f"http://127.0.0.1:{web.port}", "li.na", "correct horse", str(export), "sg-1"],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr + (tmp_path / "web.log").read_text()
    told = json.loads(done.stdout)
    assert told["refused"] == "FILE_NOT_FOUND"
    assert told["status"] == "completed"
    assert sorted(row["order_id"] for row in told["rows"]) == [f"26030600000{number}" for number in range(5)]


def test_its_packages_are_pinned_without_naming_where_they_come_from() -> None:
    lock = (SOURCE / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    packages = {name: told for name, told in json.loads(lock)["packages"].items() if name}
    assert packages
    assert all(told["integrity"].startswith("sha512-") for told in packages.values())
    wanted = json.loads((SOURCE / "package.json").read_text("utf-8"))
    for version in (wanted["dependencies"] | wanted["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
