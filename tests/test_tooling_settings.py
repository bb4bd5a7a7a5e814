"""A setting that makes no sense stops the start with a sentence, a blank one is none, and no secret is everybody's."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from erp import environment
from erp.secret import installation_secret
from tests.environment import DOCUMENTED
from tests.programs import embedded, run

BASE_DIR = Path(__file__).resolve().parent.parent
SHOWN = "from django.conf import settings as s; print(repr([s.SECRET_KEY, s.DATABASE_URL, str(s.VAR_DIR)]))"


def settings_with(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of their own and show some."""
    return subprocess.run(
        [sys.executable, "-c", SHOWN],
        cwd=BASE_DIR,
        env=embedded(folder) | {"DJANGO_SETTINGS_MODULE": "erp.settings"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"PRODUCTION": "true"}, "SECRET_KEY"),
        ({"PRODUCTION": "true", "SECRET_KEY": "  "}, "SECRET_KEY"),
        ({"PRODUCTION": "true", "SECRET_KEY": "x" * 50, "DEBUG": "true"}, "DEBUG"),
        ({"DATABASE_URL": "postgres://erp:hunter2@host:port/x"}, "DATABASE_URL"),
        ({"LEASE_SECONDS": "abc"}, "LEASE_SECONDS"),
        ({"CACHE_URL": "amqp://erp:hunter2@host"}, "CACHE_URL"),
        ({"SECRET_KEY_FILE": "/nowhere/secret"}, "SECRET_KEY_FILE"),
    ],
)
def test_a_setting_that_makes_no_sense_is_told_in_a_sentence(
    tmp_path: Path, variables: dict[str, str], named: str
) -> None:
    code, output, errors = run(("doctor", "--json"), environment=embedded(tmp_path) | variables)
    assert code == 2
    assert named in errors
    assert "Traceback" not in errors
    assert "hunter2" not in errors + output
    assert named in json.loads(output)["error"]["detail"]


def test_production_starts_with_a_secret_of_its_own(tmp_path: Path) -> None:
    done = settings_with(tmp_path, PRODUCTION="true", SECRET_KEY="s" * 50)
    assert done.returncode == 0, done.stderr
    assert "s" * 50 in done.stdout


def test_blank_variables_count_as_not_set(tmp_path: Path) -> None:
    blank = dict.fromkeys(DOCUMENTED - {"VAR_DIR"}, " ") | {f"{name}_FILE": "" for name in DOCUMENTED}
    done = settings_with(tmp_path, **blank)
    assert done.returncode == 0, done.stderr
    assert "sqlite:///" in done.stdout


def test_a_file_beside_a_blank_variable_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "value").write_text(" from the file\n")
    monkeypatch.setenv("PROBED_FILE", str(tmp_path / "value"))
    monkeypatch.setenv("PROBED", "")
    assert environment.text("PROBED", "default") == "from the file"
    (tmp_path / "value").write_text("\n")
    assert environment.text("PROBED", "default") == "default"
    monkeypatch.setenv("PROBED", "both")
    with pytest.raises(ImproperlyConfigured, match="not both"):
        environment.text("PROBED")


def test_an_installation_keeps_a_secret_that_only_its_owner_reads(tmp_path: Path) -> None:
    first, second = (settings_with(tmp_path / "one").stdout for _again in range(2))
    assert first == second
    kept = tmp_path / "one" / "secret_key"
    assert len(kept.read_text()) >= 50
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text() not in settings_with(tmp_path / "two").stdout


def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        secrets = {future.result() for future in [threads.submit(installation_secret, tmp_path) for _ in range(64)]}
    assert len(secrets) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_secret_that_cannot_be_kept_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ImproperlyConfigured, match="VAR_DIR"):
        installation_secret(tmp_path / "file" / "var")
