"""What can be set is what ``deploy/environment.example`` says can be set; tests and demo meet none of it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from tests.environment import CONFIGURING, DOCUMENTED

BASE_DIR = Path(__file__).resolve().parent.parent
_READ = re.compile(r"environment\.(?:text|boolean|integer|percent|choice|items|networks|time_zone)\(\s*\"([A-Z_]+)\"")
SERVICES = ("DATABASE_URL", "REDIS_URL", "CACHE_URL", "CELERY_BROKER_URL")


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    read = {
        name
        for room in ("erp", "datasync", "ratelimits")
        for path in (BASE_DIR / room).rglob("*.py")
        for name in _READ.findall(path.read_text(encoding="utf-8"))
    }
    assert read == DOCUMENTED


def test_the_session_meets_no_service_or_file_of_the_developer(tmp_path: Path) -> None:
    """The environment names the developer's own, plainly and by file; a session is configured and says what it uses."""
    secret = tmp_path / "secret"
    secret.write_text("redis://developers.example:6379/0")
    mine = {f"{name}_FILE": str(secret) for name in ("CELERY_BROKER_URL", "REDIS_URL", "SECRET_KEY", "DATABASE_URL")}
    mine |= {"UPLOAD_DIR": str(tmp_path), "DATA_ROOTS": str(tmp_path), "BATCH_WINDOW": "3", "LOG_LEVEL": "loud"}
    program = (
        "from types import SimpleNamespace\n"
        "from tests import conftest\n"
        "config = SimpleNamespace(option=None)\n"
        "conftest.pytest_configure(config)\n"
        "from django.conf import settings as s\n"
        "print(s.DATABASE_URL, s.CELERY_BROKER_URL, s.UPLOAD_DIR, *s.DATA_ROOTS, s.BATCH_WINDOW, s.SECRET_KEY)\n"
        "conftest.pytest_unconfigure(config)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=BASE_DIR,
        env={name: value for name, value in os.environ.items() if name not in {*CONFIGURING, "TEST_DATABASE"}} | mine,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "developers.example" not in done.stdout
    assert str(tmp_path) not in done.stdout
    assert "folder://" in done.stdout


def commands_of(folder: Path, *targets: str) -> list[list[str]]:
    """What make would run for these targets, in words; a make that runs the tests passes its flags on."""
    own = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    done = subprocess.run(["make", "-n", *targets], cwd=folder, env=own, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [shlex.split(line) for line in done.stdout.replace("\\\n", " ").splitlines()]


def dropped(command: list[str]) -> set[str]:
    """The variables that ``env`` takes out of the environment."""
    return {value for option, value in pairwise(command) if option == "-u"}


def test_demo_and_checks_drop_everything_that_can_be_set() -> None:
    for target in ("demo", "demo-serve", "lint"):
        commands = [command for command in commands_of(BASE_DIR, target) if "manage.py" in command]
        assert commands
        for command in commands:
            assert dropped(command) == CONFIGURING


def test_serve_is_embedded_whatever_names_the_services() -> None:
    (command,) = (command for command in commands_of(BASE_DIR, "serve") if "manage.py" in command)
    assert dropped(command) == {*SERVICES, *(f"{name}_FILE" for name in SERVICES)}


def test_make_works_in_a_folder_whose_name_has_a_space(tmp_path: Path) -> None:
    """And without the benchmarks, which are no part of an installation."""
    folder = tmp_path / "my erp"
    shutil.copytree(BASE_DIR / "deploy", folder / "deploy")
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(BASE_DIR / name, folder)
    (demo,) = (command for command in commands_of(folder, "demo") if "manage.py" in command)
    assert f"VAR_DIR={folder}/var/demo" in demo
