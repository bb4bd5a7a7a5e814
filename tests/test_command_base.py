"""Every command ends with an exit code that says how, one JSON document, and a sentence that says what to do."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command, get_commands, load_command_class
from django.db import OperationalError
from kombu.exceptions import OperationalError as BrokerError

from datasync import exceptions
from datasync.management.base import ConsoleCommand, ConsoleError, Exit, Outcome
from datasync.management.tables import cell, table

COMMANDS = sorted(name for name, app in get_commands().items() if app == "datasync")


class Probe(ConsoleCommand):
    """A command that ends as it is told."""

    requires_system_checks = ()
    summary = "Probe."

    def __init__(self, end: Outcome | BaseException) -> None:
        super().__init__(stdout=io.StringIO(), stderr=io.StringIO())
        self.end = end

    def work(self, options: dict[str, Any]) -> Outcome:
        if isinstance(self.end, BaseException):
            raise self.end
        return self.end


def run(end: Outcome | BaseException, *arguments: str) -> tuple[int, str, str]:
    """Run the probe as a shell would: exit code, standard output, standard error."""
    probe = Probe(end)
    code = 0
    try:
        probe.run_from_argv(["manage.py", "probe", "--no-color", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, str(probe.stdout._out.getvalue()), str(probe.stderr._out.getvalue())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ZeroDivisionError("x"), Exit.BUG),
        (exceptions.InvalidRequest(detail="no"), Exit.USAGE),
        (exceptions.FileNotFound(what=3), Exit.USAGE),
        (exceptions.QuarantineRefused(count=2), Exit.QUARANTINED),
        (exceptions.HeaderChanged(missing="A"), Exit.REFUSED),
        (exceptions.NoTemplate(), Exit.REFUSED),
        (exceptions.NeedsDescription(), Exit.REFUSED),
        (exceptions.TransientError(), Exit.UNAVAILABLE),
        (OperationalError("connection refused"), Exit.UNAVAILABLE),
        (BrokerError("connection refused"), Exit.UNAVAILABLE),
        (KeyboardInterrupt(), Exit.INTERRUPTED),
    ],
)
def test_exit_code_of_an_error(error: BaseException, code: Exit) -> None:
    ended, out, err = run(error)
    assert ended == code
    assert out == ""
    assert err
    assert "Traceback" not in err


@pytest.mark.parametrize("code", [Exit.OK, Exit.QUARANTINED, Exit.REFUSED])
def test_exit_code_of_an_outcome(code: Exit) -> None:
    assert run(Outcome({}, ["a line"], code)) == (code, "a line\n", "")


def test_json_is_one_document_and_nothing_else() -> None:
    code, out, err = run(Outcome({"店": [1]}, ["a line"], Exit.QUARANTINED), "--json")
    assert (code, json.loads(out), err) == (Exit.QUARANTINED, {"店": [1]}, "")
    assert "店" in out


def test_error_is_a_json_document_too() -> None:
    code, out, err = run(exceptions.NoTemplate(), "--json")
    assert code == Exit.REFUSED
    assert json.loads(out)["error"]["code"] == "NO_TEMPLATE"
    assert exceptions.NoTemplate.recovery in err


def test_argument_that_is_not_understood_is_a_usage_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(Outcome({}), "--nonsense")[0] == Exit.USAGE
    assert "--nonsense" in capfd.readouterr().err


def test_bug_tells_its_traceback_only_when_asked(capfd: pytest.CaptureFixture[str]) -> None:
    assert "ZeroDivisionError" in run(ZeroDivisionError("x"))[2]
    assert "Traceback" not in capfd.readouterr().err
    assert run(ZeroDivisionError("x"), "--traceback")[0] == Exit.BUG
    assert "Traceback" in capfd.readouterr().err


def test_called_from_python_it_raises_what_a_caller_can_handle() -> None:
    with pytest.raises(ConsoleError) as raised:
        call_command(Probe(exceptions.NoTemplate()))
    assert raised.value.returncode == Exit.REFUSED
    with pytest.raises(ZeroDivisionError):
        call_command(Probe(ZeroDivisionError()))
    probe = Probe(Outcome({}, [], Exit.QUARANTINED))
    call_command(probe)
    assert probe.exit_code == Exit.QUARANTINED


def test_database_down_is_5_in_a_real_process() -> None:
    environment = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing", "PATH": "/usr/bin", "LC_ALL": "C.UTF-8"}
    ended = subprocess.run(
        [sys.executable, "manage.py", "task_status", "--json"],
        cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == Exit.UNAVAILABLE, ended.stderr
    assert json.loads(ended.stdout)["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("locale", "word"), [("C.UTF-8", "print one JSON document"), ("zh_CN.UTF-8", "JSON")])
def test_help_follows_the_language_of_the_terminal(monkeypatch: pytest.MonkeyPatch, locale: str, word: str) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    text = load_command_class("datasync", "task_status").create_parser("manage.py", "task_status").format_help()
    assert word in " ".join(text.split())
    assert ("print one JSON document" in " ".join(text.split())) == (locale != "zh_CN.UTF-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_help_and_a_test(name: str) -> None:
    parser = load_command_class("datasync", name).create_parser("manage.py", name)
    assert len(parser.description or "") > 20
    own = [action for action in parser._actions if action.dest != "action"]
    assert [action.dest for action in own if not action.help] == []
    tests = Path(__file__).parent
    assert any(f'"{name}"' in path.read_text() for path in tests.glob("test_*.py") if path != Path(__file__))


def test_table_lines_up_wide_characters_and_shows_no_control_characters() -> None:
    lines = list(table(("name", "rows", "note"), [("店铺", 1234, "a\x1b[31m"), ("x", None, "b" * 99)]))
    assert lines == ["name   rows  note", "----  -----  " + "-" * 99, "店铺  1,234  a [31m", f"x            {'b' * 99}"]
    assert cell("长" * 40) == "长" * 23 + "…"
