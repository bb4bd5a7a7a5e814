"""The doctor names what is wrong, says what to do, and its exit code tells whether the product can work."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pytest_django.fixtures import Settings

from datasync.choices import ItemState, TaskState
from datasync.mapping.services import load_builtin_templates
from datasync.models import HeaderTemplate
from erp import doctor
from erp.celery import app
from erp.doctor import CHECKS, Check, Finding, Status
from erp.management.commands.doctor import Command
from tests.quarantine_rows import make_file, make_task
from tests.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def healthy(settings: Settings, tmp_path: Path) -> None:
    """An installation with which nothing is wrong but that no worker runs."""
    for name in ("exports", "uploads"):
        (tmp_path / name).mkdir()
    settings.DATA_ROOTS = [tmp_path / "exports"]
    settings.UPLOAD_DIR = tmp_path / "uploads"
    load_builtin_templates()


def found(name: str) -> Finding:
    """What one check says."""
    check = next(check for check in CHECKS if check.name == name)
    return doctor._run(check)


def run() -> tuple[dict[str, Any], int]:
    """The document and the exit code of the command."""
    output = io.StringIO()
    command = Command(stdout=output)
    call_command(command, json=True)
    return json.loads(output.getvalue()), int(command.exit_code)


def test_a_healthy_installation_has_no_failure_and_exits_with_0() -> None:
    document, code = run()
    assert code == 0
    assert document["ok"] is True
    states = {check["name"]: check["status"] for check in document["checks"]}
    assert states.pop("workers") == "warn"
    assert set(states.values()) <= {"ok", "warn"}, document
    assert list(states) == [check.name for check in CHECKS if check.name != "workers"]


def test_a_failure_exits_with_5_and_says_what_to_do() -> None:
    HeaderTemplate.objects.all().delete()
    document, code = run()
    assert code == 5
    assert document["ok"] is False
    templates = next(check for check in document["checks"] if check["name"] == "templates")
    assert "templates load" in templates["advice"]


def test_a_running_worker_is_found(worker: Callable[..., Worker]) -> None:
    worker()
    finding = found("workers")
    assert finding.status is Status.OK
    assert "test1@" in finding.detail


def test_a_queue_that_nobody_takes_is_named(worker: Callable[..., Worker]) -> None:
    worker(queues=["data_sync"])
    finding = found("workers")
    assert finding.status is Status.WARN
    assert "email_tasks" in finding.detail
    assert "data_sync" not in finding.detail


def test_a_missing_migration_is_named() -> None:
    applied = MigrationRecorder.Migration.objects.filter(app="datasync")
    kept = list(applied)
    applied.delete()
    try:
        finding = found("migrations")
    finally:
        MigrationRecorder.Migration.objects.bulk_create(kept)
    assert finding.status is Status.FAIL
    assert "datasync.0001_initial" in finding.detail
    assert "migrate" in finding.advice


def test_a_missing_root_is_named(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_ROOTS = [tmp_path / "exports", tmp_path / "nowhere"]
    finding = found("roots")
    assert finding.status is Status.WARN
    assert "nowhere" in finding.detail
    assert str(tmp_path / "exports") not in finding.detail


def test_a_full_disk_is_a_failure_before_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, status in (("DISK_WARN_BYTES", Status.WARN), ("DISK_FAIL_BYTES", Status.FAIL)):
        monkeypatch.setattr(doctor, limit, 2**60)
        assert found("disk").status is status


def test_uploads_that_cannot_be_written_are_a_failure(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.UPLOAD_DIR = tmp_path / "file" / "uploads"
    finding = found("storage")
    assert finding.status is Status.FAIL
    assert "UPLOAD_DIR" in finding.advice


def test_the_reader_child_starts() -> None:
    assert found("reader").status is Status.OK


def test_a_broker_that_is_not_there_is_a_failure_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    _use_broker(monkeypatch, f"redis://:hunter2@127.0.0.1:{port}/0")
    finding = found("broker")
    assert finding.status is Status.FAIL
    assert "REDIS_URL" in finding.advice
    assert "hunter2" not in finding.detail


def test_a_check_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LIMIT_SECONDS", 0.2)
    over = threading.Event()

    def look() -> Finding:
        over.wait(60)
        return Finding("frozen", Status.OK, "")

    finding = doctor._run(Check("frozen", look, "Thaw it."))
    assert not over.is_set()
    over.set()
    assert (finding.status, finding.advice) == (Status.FAIL, "Thaw it.")


def test_settings_are_checked_as_the_product_is_run(settings: Settings) -> None:
    assert found("settings").status is Status.OK
    settings.PRODUCTION, settings.ALLOWED_HOSTS, settings.SECRET_KEY = True, ["localhost"], "short"
    finding = found("settings")
    assert finding.status is Status.WARN
    assert "erp.W003" in finding.detail
    assert "security.W009" in finding.detail
    assert "ALLOWED_HOSTS" in finding.advice
    settings.DATA_ROOTS = [settings.UPLOAD_DIR]
    assert found("settings").status is Status.FAIL


def test_work_whose_lease_ran_out_is_counted() -> None:
    task = make_task(*(make_file(f"{number}.csv") for number in range(3)), state=TaskState.PROCESSING)
    task.items.update(state=ItemState.PROCESSING, lease_until=timezone.now() + timedelta(hours=1))
    assert found("leases").status is Status.OK
    task.items.filter(position__lt=2).update(lease_until=timezone.now() - timedelta(seconds=5))
    finding = found("leases")
    assert finding.status is Status.WARN
    assert "2 items" in finding.detail
    assert task.task_id in finding.detail
    assert "worker" in finding.advice


def _use_broker(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Let new connections of the app go elsewhere."""
    genuine = app.connection_for_write
    monkeypatch.setattr(app, "connection_for_write", lambda _url=None, **options: genuine(url, **options))
