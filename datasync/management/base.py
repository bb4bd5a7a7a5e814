"""What every command of the product has in common: exit codes, one JSON document, errors that say what to do."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError
from django.utils import translation
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError as BrokerError

from datasync.exceptions import DiskFull, NeedsDescription, QuarantineRefused, SyncError, TemplateError, TransientError
from datasync.management.pipes import leave_quietly, nobody_reads
from datasync.runs.retry import POLICY

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    BUG = 1
    USAGE = 2
    QUARANTINED = 3
    REFUSED = 4
    UNAVAILABLE = 5
    INTERRUPTED = 130


_EXITS: tuple[tuple[type[Exception], Exit], ...] = (
    (QuarantineRefused, Exit.QUARANTINED),
    (TemplateError, Exit.REFUSED),
    (NeedsDescription, Exit.REFUSED),
    (TransientError, Exit.UNAVAILABLE),
    (SyncError, Exit.USAGE),
    (OperationalError, Exit.UNAVAILABLE),
    (InterfaceError, Exit.UNAVAILABLE),
    (BrokerError, Exit.UNAVAILABLE),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has to say: a document for machines, lines for people, and how it ended."""

    document: Any
    lines: Iterable[str] = ()
    exit: Exit = Exit.OK


class ConsoleError(CommandError):
    """A command that could not do what it was asked, with a sentence saying what to do about it."""

    def __init__(self, message: str, *, recovery: str = "", code: str = "COMMAND_FAILED", exit_code: Exit) -> None:
        super().__init__(message, returncode=exit_code)
        self.message, self.recovery, self.code = message, recovery, code

    @property
    def document(self) -> dict[str, Any]:
        """The error as ``--json`` shows it."""
        return {"error": {"code": self.code, "detail": self.message, "recovery_suggestion": self.recovery}}


def console_error(error: Exception) -> ConsoleError | None:
    """The expected failure that an exception stands for; None when it is a bug."""
    if isinstance(error, ConsoleError):
        return error
    if isinstance(error, CommandError):
        return ConsoleError(str(error).removeprefix("Error: "), code="USAGE", exit_code=Exit.USAGE)
    if isinstance(error, ImproperlyConfigured):
        return ConsoleError(str(error), code="NOT_CONFIGURED", exit_code=Exit.USAGE)
    if POLICY.is_disk_full(error):
        error = DiskFull()
    exit_code = next((code for kind, code in _EXITS if isinstance(error, kind)), None)
    if exit_code is None:
        return None
    if isinstance(error, SyncError):
        said, advice = error.say(_(error.template)), _(error.recovery)
        return ConsoleError(said, recovery=advice, code=error.code, exit_code=exit_code)
    what = _("The broker cannot be reached") if isinstance(error, BrokerError) else _("The database cannot be used")
    return ConsoleError(
        f"{what}: {' '.join(str(error).split())}",
        recovery=_("Run “manage.py doctor”; it says what is wrong and what to do."),
        code="SERVICE_UNAVAILABLE",
        exit_code=exit_code,
    )


def console_language() -> str:
    """The language of the terminal: Simplified Chinese where the environment's locale says so, else English."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh-hans" if locale.lower().startswith("zh") else "en"


class ConsoleCommand(BaseCommand):
    """A command that answers with an ``Outcome``.

    Subclasses say what they do in ``summary`` and implement ``add_options`` and ``work``. Standard output carries the
    outcome alone: a readable table, or exactly one JSON document with ``--json``; everything else goes to standard
    error. Called from Python, an expected failure raises ``ConsoleError`` and ``exit_code`` tells how it ended; from a
    shell it becomes the exit code.
    """

    summary: ClassVar[str | StrPromise]
    exit_code = Exit.OK
    json_asked = False

    def run_from_argv(self, argv: list[str]) -> None:
        """Run from a shell: with ``--json`` arguments that are not understood are a document too."""
        self.json_asked = "--json" in argv
        try:
            try:
                super().run_from_argv(argv)
            except CommandError as error:  # of the parser; those of the work have become exit codes
                with translation.override(console_language()):
                    self._leave(error, console_error(error), {"json": True})
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            if not nobody_reads():
                raise
            leave_quietly()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Build the parser in the terminal's language."""
        with translation.override(console_language()):
            self.help = str(self.summary)
            return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options that all commands share, then the command's own."""
        self.prepare_parser(parser)
        parser.add_argument("--json", action="store_true", help=_("print one JSON document instead of a table"))
        self.add_options(parser)

    def prepare_parser(self, parser: CommandParser) -> None:
        """Let the parser raise what it does not understand where it would end the process without a document."""
        if self.json_asked:
            parser.called_from_command_line = False

    def add_options(self, parser: CommandParser) -> None:
        """Add the command's own options."""

    def work(self, options: dict[str, Any]) -> Outcome:
        """Do what was asked."""
        raise NotImplementedError

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command; expected failures become ``ConsoleError``, and exit codes where a shell called."""
        in_shell = bool(getattr(self, "_called_from_command_line", False))
        try:
            with translation.override(console_language()):
                return super().execute(*args, **options)
        except KeyboardInterrupt:
            if not in_shell:
                raise
            self.stderr.write(_("Interrupted."))
            sys.exit(Exit.INTERRUPTED)
        except Exception as error:
            if isinstance(error, BrokenPipeError) and in_shell and nobody_reads():
                raise
            failure = console_error(error)
            if in_shell:
                self._leave(error, failure, options)
            if failure is None:
                raise
            raise failure from error

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the outcome of the work."""
        outcome = self.work(options)
        if options["json"]:
            self.stdout.write(json.dumps(outcome.document, ensure_ascii=False, indent=2, cls=DjangoJSONEncoder))
        else:
            for line in outcome.lines:
                self.stdout.write(line)
        self.exit_code = outcome.exit
        if outcome.exit and getattr(self, "_called_from_command_line", False):
            self.stdout.flush()
            sys.exit(outcome.exit)

    def _leave(self, error: Exception, failure: ConsoleError | None, options: dict[str, Any]) -> NoReturn:
        """Say what went wrong and end the process."""
        if options.get("traceback"):
            traceback.print_exception(error)
        if failure is None:
            failure = ConsoleError(
                _("Unexpected %(name)s: %(text)s")
                % {"name": type(error).__name__, "text": " ".join(str(error).split())},
                recovery=_("This is a bug: run it again with --traceback and report what it prints."),
                code="INTERNAL_ERROR",
                exit_code=Exit.BUG,
            )
        if options.get("json"):
            self.stdout.write(json.dumps(failure.document, ensure_ascii=False, indent=2))
        self.stderr.write(failure.message)
        if failure.recovery:
            self.stderr.write(failure.recovery)
        sys.exit(failure.returncode)


class ActionsCommand(ConsoleCommand):
    """A command with several actions, such as ``templates load``; each is a method that takes the options.

    Subclasses implement ``add_actions`` instead of ``add_options`` and ``work``.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        """Add one parser for each action; the shared options stand behind the action."""
        self.prepare_parser(parser)
        parser.set_defaults(json=False)
        self.actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"), title=_("actions"))
        self.add_actions()

    def add_actions(self) -> None:
        """Declare the command's actions with ``add_action``."""

    def add_action(self, name: str, work: Callable[[dict[str, Any]], Outcome], summary: str) -> CommandParser:
        """Declare an action and give back its parser."""
        parser: CommandParser = self.actions.add_parser(name, help=summary, description=summary)
        parser.set_defaults(work=work)
        parser.add_argument("--json", action="store_true", help=_("print one JSON document instead of a table"))
        parser.add_argument("--traceback", action="store_true", default=False, help=_("show the traceback of an error"))
        return parser

    def work(self, options: dict[str, Any]) -> Outcome:
        """Do the chosen action."""
        outcome: Outcome = options["work"](options)
        return outcome
