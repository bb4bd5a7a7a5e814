"""Operators' mistakes become system checks, each with an id and a hint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.checks import CheckMessage

from erp import checks, folder_broker
from tests.environment import without_configuration

SOUND = {
    "PRODUCTION": "true",
    "SECRET_KEY": "q7#Vd2k!wPz5m9Xc4Rt8Yb1Ln6Hs3Jf0Gu+eAoTiQyBxKvMZjCr",
    "ALLOWED_HOSTS": "erp.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://erp.example.com",
    "DATABASE_URL": "postgresql://erp@localhost:1/erp",
    "REDIS_URL": "redis://localhost:1/0",
}


def ids(found: list[CheckMessage]) -> set[str | None]:
    for message in found:
        assert message.hint, message
    return {message.id for message in found}


@pytest.mark.parametrize(
    ("production", "hosts", "expected"),
    [
        (True, ["localhost", "127.0.0.1"], {"erp.W003"}),
        (True, ["localhost", "erp.example.com"], set()),
        (False, ["localhost"], set()),
    ],
)
def test_production_names_its_hosts(settings: Any, production: bool, hosts: list[str], expected: set[str]) -> None:
    settings.PRODUCTION, settings.ALLOWED_HOSTS = production, hosts
    assert ids(checks.check_hosts()) == expected


def test_missing_roots_are_named(settings: Any, tmp_path: Path) -> None:
    settings.DATA_ROOTS = [tmp_path / "gone"]
    assert ids(checks.check_folders()) == {"erp.W004"}


def test_the_default_root_may_be_missing_on_the_first_start(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    settings.DATA_ROOTS = [tmp_path / "inbox"]
    assert checks.check_folders() == []


def test_folders_must_not_overlap(settings: Any, tmp_path: Path) -> None:
    settings.DATA_ROOTS = [tmp_path]
    settings.UPLOAD_DIR = tmp_path / "uploads"
    assert ids(checks.check_folders()) == {"erp.E005"}


def test_folders_of_ours_must_be_writable(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.VAR_DIR = tmp_path / "file" / "var"
    settings.DATA_ROOTS = [settings.VAR_DIR / "inbox"]
    assert ids(checks.check_folders()) == {"erp.E006"}


def test_a_broker_wants_a_database(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    settings.CELERY_BROKER_URL = "redis://localhost/0"
    assert ids(checks.check_services()) == {"erp.W008"}


def test_processes_share_one_cache(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert ids(checks.check_shared_cache()) == {"erp.W009"}


@pytest.mark.parametrize(
    ("redis", "broker", "expected"),
    [
        ("", f"{folder_broker.SCHEME}://localhost", set()),
        ("redis://localhost/0", "redis://localhost/0", set()),
        ("rediss://localhost/0", "sentinel://one:26379;sentinel://two:26379/0", set()),
        ("sentinel://one:26379/0", "sentinel://one:26379/0", {"erp.W010"}),
        ("redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock", {"erp.W010"}),
        ("unix:///run/redis.sock", "amqp://localhost", {"erp.W010"}),
        ("", "amqp://localhost", {"erp.W010"}),
    ],
)
def test_machines_share_their_limits(settings: Any, redis: str, broker: str, expected: set[str]) -> None:
    settings.REDIS_URL, settings.CELERY_BROKER_URL = redis, broker
    assert ids(checks.check_shared_limits()) == expected


def deploy_check(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=configured.BASE_DIR,
        env=without_configuration(os.environ) | {"VAR_DIR": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_sensible_production_settings_are_clean(tmp_path: Path) -> None:
    done = deploy_check(tmp_path, **SOUND)
    assert done.returncode == 0, done.stderr


def test_a_guessable_secret_stops_a_deployment(tmp_path: Path) -> None:
    done = deploy_check(tmp_path, **SOUND | {"SECRET_KEY": "secret"})
    assert done.returncode == 1
    assert "security.W009" in done.stderr
