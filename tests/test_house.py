"""What holds for the whole tree."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import current_app

HERE = Path(__file__).resolve()
BASE_DIR = HERE.parent.parent
LONGEST_FILE = 400
NOT_OURS = {".git", ".venv", "var", "node_modules", "__pycache__"}
MAKE_COMMAND = re.compile(r"\bmake ([a-z][a-z-]*)\b")


def tree(*patterns: str) -> Iterator[Path]:
    """Our own files, whatever their folder."""
    for pattern in patterns:
        for path in BASE_DIR.rglob(pattern):
            parts = path.relative_to(BASE_DIR).parts
            if path.is_file() and not any(part in NOT_OURS or part.endswith("_cache") for part in parts):
                yield path


def test_no_python_file_is_too_long() -> None:
    too_long = {
        str(path.relative_to(BASE_DIR)): lines
        for path in tree("*.py")
        if (lines := path.read_text(encoding="utf-8").count("\n")) > LONGEST_FILE
    }
    assert too_long == {}


def test_the_tree_has_no_leftovers() -> None:
    """What is not finished is not in the tree."""
    mark = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
    found = [
        path
        for path in tree("*.py", "Makefile", "*.sh", "*.toml")
        if path != HERE and mark.search(path.read_text("utf-8"))
    ]
    assert found == []


def test_no_package_registry_is_named() -> None:
    """Where packages come from is the machine's business."""
    hosts = re.compile(r"pypi\.|pythonhosted|npmjs\.|index-url|deb\.debian", re.IGNORECASE)
    patterns = ("*.py", "*.txt", "*.toml", "*.md", "*.yml", "Makefile", "run", "make-environment", "install-*")
    found = [path for path in tree(*patterns) if path != HERE and hosts.search(path.read_text("utf-8"))]
    assert found == []


def test_every_make_command_that_is_written_about_exists() -> None:
    targets = set(re.findall(r"^\.PHONY: ([a-z-]+)$", (BASE_DIR / "Makefile").read_text("utf-8"), re.MULTILINE))
    for path in tree("*.md", "*.py", "run"):
        text = path.read_text("utf-8")
        quoted = re.findall(r"`[^`\n]*`|“[^”\n]*”|^ {4,}make .*$|^make .*$", text, re.MULTILINE)
        for command in MAKE_COMMAND.findall("\n".join(quoted)):
            assert command in targets, f"{path.relative_to(BASE_DIR)} speaks of make {command}"


def test_help_lists_every_command_with_a_line() -> None:
    answer = subprocess.run(["make", "--no-print-directory"], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in answer.stdout.splitlines()}
    targets = set(re.findall(r"^\.PHONY: ([a-z-]+)$", (BASE_DIR / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert listed == targets
    assert all(len(line.split(maxsplit=1)) == 2 for line in answer.stdout.splitlines())


@pytest.mark.parametrize("script", ["deploy/make-environment", "deploy/install-test-packages", ".ci/run"])
def test_scripts_can_be_run_and_parse(script: str) -> None:
    path = BASE_DIR / script
    assert path.stat().st_mode & 0o111
    interpreter = path.read_text("utf-8").splitlines()[0].removeprefix("#!").split()[-1]
    subprocess.run([interpreter, "-n", str(path)], check=True)


def test_every_task_has_a_queue_that_workers_take() -> None:
    """A task without a route would wait for ever."""
    from erp.broker import QUEUES  # noqa: PLC0415

    current_app.loader.import_default_modules()
    names = [name for name in current_app.tasks if not name.startswith("celery.")]
    assert names
    for name in names:
        queue = current_app.amqp.router.route({}, name)["queue"].name
        assert queue in QUEUES, name
        assert any(_fits(pattern, name) for pattern in current_app.conf.task_routes), f"{name} has no route of its own"


def _fits(pattern: str, name: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None


def test_every_command_has_a_test() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (BASE_DIR / "tests").rglob("test_*.py"))
    commands = [path.stem for path in tree("commands/*.py") if path.stem != "__init__"]
    assert commands
    untested = [name for name in commands if not re.search(rf"[\"'\s]{name}[\"'\s]", tests)]
    assert untested == []
