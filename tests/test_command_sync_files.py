"""``sync_files`` and ``task_status``: what is queued, how it is watched, and what the exit code says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from datasync.choices import FileState, TaskState
from datasync.management import watching
from datasync.management.base import ConsoleError, Exit
from datasync.management.commands.sync_files import Command
from datasync.management.watching import verdict_of
from datasync.models import CatalogFile, Platform, Shop, SyncProgressTask, SyncTaskFile
from tests.conftest import test_environment as environment_of_the_tests
from tests.quarantine_rows import make_file, make_task
from tests.runs_support import Bell, bell
from tests.workers import Worker

__all__ = ["bell"]


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    call_command(*arguments, "--json")
    return json.loads(capsys.readouterr().out)


def queued(document: dict[str, Any]) -> list[str]:
    items = SyncTaskFile.objects.filter(task__task_id=document["task_id"])
    return sorted(items.values_list("file__original_name", flat=True))


@pytest.fixture
def pending() -> list[CatalogFile]:
    """Three pending files of two domains."""
    return [make_file("a.csv"), make_file("b.csv"), make_file("p.csv", domain="products", granularity="weekly")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], ["a.csv", "b.csv", "p.csv"]),
        (["--domain", "products"], ["p.csv"]),
        (["--domain", "products", "--domain", "orders"], ["a.csv", "b.csv", "p.csv"]),
        (["--granularity", "daily"], ["a.csv", "b.csv"]),
        (["--platform", "shopee", "--shop", "sg1", "--domain", "orders"], ["a.csv", "b.csv"]),
        (["--limit", "1"], ["a.csv"]),
        (["--since-hours", "1"], ["a.csv", "b.csv", "p.csv"]),
    ],
)
def test_filters(
    pending: list[CatalogFile], capsys: pytest.CaptureFixture[str], filters: list[str], expected: list[str]
) -> None:
    document = answer(capsys, "sync_files", "--without-template", *filters)
    assert document["status"] == TaskState.QUEUED
    assert queued(document) == expected


@pytest.mark.django_db
@pytest.mark.parametrize("filters", [["--platform", "lazada"], ["--shop", "idle"], ["--all"]])
def test_nothing_pending_is_no_error(
    pending: list[CatalogFile], capsys: pytest.CaptureFixture[str], filters: list[str]
) -> None:
    Shop.objects.create(platform=Platform.objects.create(code="lazada", name="Lazada"), shop_id="idle")
    document = answer(capsys, "sync_files", *filters)
    assert (document["task_id"], document["files"]["total"]) == (None, 0)
    assert not SyncProgressTask.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["--platform", "--shop", "--user"])
def test_what_is_not_known_is_a_usage_error(pending: list[CatalogFile], option: str) -> None:
    with pytest.raises(ConsoleError, match="nope") as raised:
        call_command("sync_files", option, "nope")
    assert raised.value.returncode == Exit.USAGE
    assert not SyncProgressTask.objects.exists()


@pytest.mark.django_db
def test_flags_priority_and_owner_reach_the_task(
    pending: list[CatalogFile], capsys: pytest.CaptureFixture[str]
) -> None:
    User.objects.create_user("ada")
    document = answer(
        capsys, "sync_files", "--file-id", str(pending[0].pk), "--without-template", "--refuse-quarantine",
        "--priority", "9", "--user", "ada",
    )  # fmt: skip
    task = SyncProgressTask.objects.select_related("owner").get(task_id=document["task_id"])
    assert (task.only_with_template, task.allow_quarantine, task.priority) == (False, False, 9)
    assert task.owner is not None
    assert task.owner.username == "ada"


@pytest.mark.django_db
def test_missing_and_busy_files_are_named(pending: list[CatalogFile], capsys: pytest.CaptureFixture[str]) -> None:
    busy, free = pending[0], pending[1]
    first = answer(capsys, "sync_files", "--file-id", str(busy.pk))
    call_command(
        "sync_files", "--json", "--file-id", str(busy.pk), "--file-id", str(free.pk), "--file-id", "424242"
    )  # fmt: skip
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["busy_file_ids"], document["missing_file_ids"]) == ([busy.pk], [424242])
    assert "424242" in captured.err
    with pytest.raises(ConsoleError) as raised:
        call_command("sync_files", "--file-id", str(busy.pk))
    assert raised.value.code == "FILE_BUSY"
    assert first["task_id"] in str(raised.value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments",
    [
        ["--all", "--domain", "orders"],
        ["--all", "--file-id", "1"],
        ["--file-id", "1", "--limit", "5"],
        ["--all", "--refuse-quarantine"],
        ["--file-id", "424242"],
        ["--user", "nobody"],
    ],
)
def test_usage_errors(arguments: list[str]) -> None:
    with pytest.raises(ConsoleError) as raised:
        call_command("sync_files", *arguments)
    assert raised.value.returncode == Exit.USAGE


@pytest.mark.parametrize(
    "arguments",
    [["--priority", "11"], ["--priority", "0"], ["--limit", "0"], ["--limit", "1001"], ["--file-id", "x"]],
)
def test_arguments_out_of_range_are_refused_by_the_parser(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=arguments[0]):
        call_command("sync_files", *arguments)


@pytest.mark.parametrize(
    ("codes", "quarantined", "exit_code"),
    [
        (set(), 0, Exit.OK),
        (set(), 3, Exit.QUARANTINED),
        ({"ROWS_REJECTED"}, 0, Exit.QUARANTINED),
        ({"HEADER_CHANGED"}, 3, Exit.REFUSED),
        ({"NO_TEMPLATE", "ROWS_REJECTED"}, 0, Exit.REFUSED),
        ({"CORRUPT_FILE"}, 0, Exit.REFUSED),
        ({"TEMPORARILY_UNAVAILABLE", "HEADER_CHANGED"}, 0, Exit.UNAVAILABLE),
        ({"INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE"}, 3, Exit.BUG),
    ],
)
def test_the_gravest_outcome_is_the_exit_code(codes: set[str], quarantined: int, exit_code: Exit) -> None:
    assert verdict_of(codes, rows_quarantined=quarantined) is exit_code


@pytest.mark.django_db
def test_waiting_without_a_worker_says_so_and_gives_up(
    pending: list[CatalogFile], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.2)
    with pytest.raises(ConsoleError) as raised:
        call_command("sync_files", "--without-template", "--wait", "--timeout", "1")
    assert raised.value.returncode == Exit.UNAVAILABLE
    assert "--watch" in raised.value.recovery
    assert "worker" in capsys.readouterr().err


@pytest.mark.django_db(transaction=True)
def test_what_the_broker_did_not_take_ends_with_5_and_is_not_waited_for(
    pending: list[CatalogFile], capsys: pytest.CaptureFixture[str], bell: Bell
) -> None:
    bell.heard = False
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "sync_files", "--without-template", "--wait", "--json"])
    assert ended.value.code == Exit.UNAVAILABLE
    assert "The broker: it could not be reached" in json.loads(capsys.readouterr().out)["message"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("wait", [True, False])
def test_where_no_broker_is_wanted_nobody_has_to_hear(
    pending: list[CatalogFile], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    bell: Bell, settings: Any, wait: bool,
) -> None:  # fmt: skip
    settings.EXECUTION = "local"
    watched: list[SyncProgressTask] = []
    monkeypatch.setattr(watching, "watch", lambda task, **_: watched.append(task))
    options = ["--wait"] if wait else []
    Command().run_from_argv(["manage.py", "sync_files", "--without-template", "--json", *options])
    document = json.loads(capsys.readouterr().out)
    assert (document["files"]["total"], document["message"]) == (3, "")
    assert [task.task_id for task in watched] == [document["task_id"]] * wait


@pytest.mark.django_db
def test_interrupt_ends_the_watching_not_the_task(
    pending: list[CatalogFile], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("datasync.management.watching.time.sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        call_command("sync_files", "--without-template", "--wait", "--progress")
    task = SyncProgressTask.objects.get()
    assert f"task_status {task.task_id} --watch" in capsys.readouterr().err
    assert task.state == TaskState.QUEUED


@pytest.mark.django_db
def test_status_of_one_and_of_the_newest(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("task_status")
    assert "No task yet" in capsys.readouterr().out
    make_task(make_file("a.csv"), task_id="batch_a", rows_read=5, rows_inserted=5)
    make_task(make_file("b.csv"), task_id="batch_b", state=TaskState.FAILED)
    assert [task["task_id"] for task in answer(capsys, "task_status")] == ["batch_b", "batch_a"]
    assert [task["task_id"] for task in answer(capsys, "task_status", "--state", "failed")] == ["batch_b"]
    assert answer(capsys, "task_status", "batch_a")["rows"]["inserted"] == 5
    assert answer(capsys, "task_status", "--watch")["task_id"] == "batch_b"
    call_command("task_status", "batch_a")
    assert "a.csv" not in capsys.readouterr().out  # only what is not simply done is listed
    with pytest.raises(ConsoleError) as raised:
        call_command("task_status", "nope")
    assert raised.value.returncode == Exit.USAGE


def shell(environment: dict[str, str], *arguments: str) -> tuple[int, Any]:
    """Run a command in a process of its own: its exit code and its JSON document."""
    ended = subprocess.run(
        [sys.executable, "manage.py", *arguments, "--json"],
        cwd=project.BASE_DIR, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return ended.returncode, json.loads(ended.stdout)


def test_files_are_synced_by_a_worker_from_the_shell(worker: Callable[..., Worker], tmp_path: Path) -> None:
    """The whole way by commands alone: templates, samples, scan, sync, look at what was quarantined."""
    root = tmp_path / "inbox"
    environment = environment_of_the_tests() | {"DATA_ROOTS": str(root), "GROWING_SECONDS": "0", "LC_ALL": "C.UTF-8"}
    worker(environment={"DATA_ROOTS": str(root)})
    assert shell(environment, "templates", "load")[0] == Exit.OK
    made = shell(environment, "make_samples", "--rows", "300")[1]
    assert shell(environment, "scan_files")[1]["new"] == made["files"]
    code, document = shell(environment, "sync_files", "--wait", "--timeout", "100")
    expected = {
        name: sum(file["outcome"] == name for file in made["expected"]) for name in ("template_update_required",)
    }
    assert code == Exit.REFUSED
    assert document["status"] == TaskState.PARTIAL
    assert document["files"]["failed"] == expected["template_update_required"]
    assert document["rows"]["read"] == sum(count for name, count in document["rows"].items() if name != "read")
    assert CatalogFile.objects.filter(state=FileState.INGESTED).count() > 50
    rejected = shell(environment, "quarantine", "list", "--task", document["task_id"])[1]
    assert rejected["total"] == document["rows"]["quarantined"] > 0
    assert shell(environment, "quality_report", "--task", document["task_id"])[1]
