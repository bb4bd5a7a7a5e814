"""Web, worker and clock in one terminal."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connections
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.management.base import ConsoleCommand, ConsoleError, Exit, Outcome
from erp.preparation import FIRST_ADMIN, create_first_admin, prepare
from erp.supervisor import Child, StopRequested, Supervisor, beat_command, stop_on_signals, web_command, worker_command

START_SECONDS = 60.0


class Command(ConsoleCommand):
    """Prepares the database, then runs the processes until Ctrl-C, or until one of them ends."""

    summary = gettext_lazy("Run the web process, a worker and the clock together.")

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help=_("address of the web process"))
        parser.add_argument("--port", type=int, default=8000, help=_("port of the web process"))
        parser.add_argument("--processes", type=int, default=2, help=_("processes of the worker"))
        parser.add_argument("--web-processes", type=int, default=2, help=_("processes of the web server"))
        parser.add_argument(
            "--services", action="store_true", help=_("refuse to run on the embedded database and broker")
        )

    def work(self, options: dict[str, Any]) -> Outcome:
        if options["services"]:
            _require_services()
        host, port = options["host"], options["port"]
        _require_free(host, port)
        try:
            stop_on_signals()
            prepare()
            password = create_first_admin()
            connections.close_all()
            with Supervisor() as supervisor:
                web = supervisor.start("web", web_command(address=f"{host}:{port}", processes=options["web_processes"]))
                supervisor.start("worker", worker_command(processes=options["processes"]))
                supervisor.start("beat", beat_command())
                _wait_for(web, host, port)
                self._welcome(host, port, password)
                ended = supervisor.wait()
        except StopRequested:
            ended = None
        if ended is not None:
            raise ConsoleError(
                _("The %(name)s process ended with code %(code)s; the others were stopped.")
                % {"name": ended.name, "code": ended.process.returncode},
                recovery=_("Its reason stands above. Run “manage.py doctor”."),
                exit_code=Exit.UNAVAILABLE,
            )
        return Outcome(document={"stopped": True}, lines=[_("Stopped.")])

    def _welcome(self, host: str, port: int, password: str | None) -> None:
        base = f"http://{'localhost' if host in {'127.0.0.1', '0.0.0.0'} else host}:{port}"  # noqa: S104 - compared only
        for line in _welcome_lines(base, password):
            self.stderr.write(line, style_func=str)


def _welcome_lines(base: str, password: str | None) -> Iterator[str]:
    yield ""
    yield _("Console        %s/admin/") % base
    yield _("API            %s/api/docs/") % base
    yield _("Database       %s") % _database_name()
    yield _("Export files   %s") % ", ".join(str(root) for root in settings.DATA_ROOTS)
    if password:
        yield _("First admin    %(name)s, password %(password)s (shown this once)") % {
            "name": FIRST_ADMIN,
            "password": password,
        }
    yield _("Ctrl-C stops all of it.")
    yield ""


def _database_name() -> str:
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        return f"SQLite, {database['NAME']}"
    return f"PostgreSQL, {database['NAME']} @ {database['HOST'] or 'localhost'}"


def _require_services() -> None:
    missing = []
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        missing.append("DATABASE_URL=postgresql://…")
    if not str(current_app.conf.broker_url).startswith(("redis", "sentinel", "amqp")):
        missing.append("REDIS_URL=redis://… (or CELERY_BROKER_URL)")
    if missing:
        raise ConsoleError(
            _("Not set: %s.") % ", ".join(missing),
            recovery=_("Set them, or run “make serve”, which needs no services."),
            code="NOT_CONFIGURED",
            exit_code=Exit.USAGE,
        )


def _require_free(host: str, port: int) -> None:
    """Fail now, and clearly, when somebody else has the port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise ConsoleError(
                _("The web process cannot listen on %(host)s:%(port)s: %(reason)s.")
                % {"host": host, "port": port, "reason": error.strerror},
                recovery=_("Choose another port: make serve ARGS=“--port 8001”."),
                code="PORT_TAKEN",
                exit_code=Exit.USAGE,
            ) from error


def _wait_for(web: Child, host: str, port: int) -> None:
    """Return when the web process answers, or has ended: the supervisor sees that next."""
    end = time.monotonic() + START_SECONDS
    while web.process.poll() is None and time.monotonic() < end:
        with _client() as client:
            if client.connect_ex((host, port)) == 0:
                return
        time.sleep(0.1)


@contextmanager
def _client() -> Iterator[socket.socket]:
    with socket.socket() as client:
        client.settimeout(1)
        yield client
