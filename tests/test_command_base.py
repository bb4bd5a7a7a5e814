"""Every command ends with an exit code that says how, one JSON document, and a sentence that says what to do."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command, get_commands, load_command_class
from django.db import OperationalError
from kombu.exceptions import OperationalError as BrokerError

from datasync import exceptions
from datasync.management import base
from datasync.management.base import ConsoleCommand, ConsoleError, Exit, Outcome
from datasync.management.tables import cell, table
from tests import programs

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
        (ImproperlyConfigured("no driver"), Exit.USAGE),
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


def test_argument_that_is_not_understood_is_a_json_document_too(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(Outcome({}), "--json", "--nonsense")
    assert code == Exit.USAGE
    assert json.loads(out)["error"]["code"] == "USAGE"
    assert "--nonsense" in json.loads(out)["error"]["detail"]
    assert "--nonsense" in err


@pytest.mark.parametrize(
    "arguments",
    [("sync_files", "--limit", "many"), ("templates", "suggest", "x"), ("quarantine", "list", "--domain", "nope"),
     ("templates",)],
)  # fmt: skip
def test_wrong_arguments_of_a_real_command_are_a_json_document(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = programs.run((*arguments, "--json"), environment=programs.embedded(tmp_path))
    assert code == Exit.USAGE
    assert json.loads(out)["error"]["code"] == "USAGE"
    assert json.loads(out)["error"]["detail"] in err


@pytest.mark.parametrize(
    ("arguments", "unbuffered"),
    [(("templates", "list"), "1"), (("templates", "list", "--json"), ""), (("sync_files", "--help"), "")],
)
def test_a_reader_that_left_ends_a_command_quietly(tmp_path: Path, arguments: tuple[str, ...], unbuffered: str) -> None:
    """As ``manage.py … | head`` does: the other end of the pipe is closed before the first line is written."""
    environment = programs.embedded(tmp_path) | {"PYTHONUNBUFFERED": unbuffered}
    if arguments[0] == "templates":
        assert programs.run(("migrate", "--verbosity", "0"), environment=environment)[0] == 0
    process = programs.start(arguments, environment=environment)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        errors = process.stderr.read()
    assert process.wait(60) == 141
    assert errors == ""


def test_a_pipe_that_breaks_elsewhere_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only nobody reading what is printed is nobody's fault."""
    monkeypatch.setattr(base, "nobody_reads", lambda: False)
    assert run(BrokenPipeError(32, "Broken pipe"))[0] == Exit.BUG


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


def test_database_down_is_5_in_a_real_process(tmp_path: Path) -> None:
    environment = programs.embedded(tmp_path) | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}
    code, out, err = programs.run(("task_status", "--json"), environment=environment)
    assert code == Exit.UNAVAILABLE, err
    assert json.loads(out)["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert "Traceback" not in err


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
