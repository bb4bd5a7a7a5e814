"""The requirements name every package that is needed, at one version, and no package that is not."""

from __future__ import annotations

import ast
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

BASE_DIR = Path(__file__).resolve().parent.parent
PIP_INSTALLED = {"pip", "setuptools"}


def pinned(name: str) -> dict[str, Requirement]:
    """The requirements of one file by canonical name."""
    lines = (BASE_DIR / name).read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith(("#", "-r"))]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


@pytest.fixture(scope="module")
def runtime() -> dict[str, Requirement]:
    return pinned("requirements.txt")


@pytest.fixture(scope="module")
def testing(runtime: dict[str, Requirement]) -> dict[str, Requirement]:
    return runtime | pinned("requirements-dev.txt")


def test_every_line_pins_one_version_and_the_lines_are_sorted(testing: dict[str, Requirement]) -> None:
    for requirement in testing.values():
        assert [part.operator for part in requirement.specifier] == ["=="], requirement
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert list(pinned(name)) == sorted(pinned(name)), name


def test_nothing_that_they_need_is_left_out(runtime: dict[str, Requirement], testing: dict[str, Requirement]) -> None:
    """Installing uses ``--no-deps``, so what is not listed is not there."""
    for listed in (runtime, testing):
        for name in listed:
            for needed in needed_by(name):
                assert needed in listed, f"{name} needs {needed}"


def test_the_environment_is_what_the_requirements_say(testing: dict[str, Requirement]) -> None:
    for name, requirement in testing.items():
        assert requirement.specifier.contains(metadata.version(name)), requirement


def test_the_product_imports_only_what_the_runtime_requirements_bring(runtime: dict[str, Requirement]) -> None:
    providers = metadata.packages_distributions()
    own = {"erp", "datasync", "ratelimits", "__future__"} | sys.stdlib_module_names
    for room in ("erp", "datasync", "ratelimits"):
        for path in (BASE_DIR / room).rglob("*.py"):
            for module in imported_modules(path) - own:
                distributions = {canonicalize_name(name) for name in providers.get(module, [])}
                assert distributions & runtime.keys(), f"{path.relative_to(BASE_DIR)} imports {module}"


def needed_by(name: str) -> set[str]:
    """What an installed package cannot do without, here."""
    requirements = map(Requirement, metadata.requires(name) or [])
    return {
        str(canonicalize_name(requirement.name))
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    } - PIP_INSTALLED


def imported_modules(path: Path) -> set[str]:
    """The top-level modules that a source file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
