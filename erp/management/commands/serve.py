"""Web, worker and clock in one terminal."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connections
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.management.base import ConsoleCommand, ConsoleError, Exit, Outcome
from erp.models import WorkerHeartbeat
from erp.preparation import FIRST_ADMIN, create_first_admin, prepare
from erp.supervisor import (
    StopRequested,
    Supervisor,
    beat_command,
    stop_on_signals,
    web_address,
    web_command,
    worker_command,
)

START_SECONDS = 60.0
POLL_SECONDS = 0.1
WORKER_NAME = "worker"
EVERYWHERE = {"0.0.0.0": "localhost", "127.0.0.1": "localhost", "::": "localhost", "::1": "localhost"}  # noqa: S104
"""Where a person on this machine reaches a web process that listens there."""


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
                began = timezone.now()
                web = web_command(
                    host=host, port=port, processes=options["web_processes"], threads=settings.WEB_THREADS
                )
                supervisor.start("web", web)
                supervisor.start("worker", worker_command(name=WORKER_NAME, processes=options["processes"]))
                supervisor.start("beat", beat_command())
                if _all_answer(supervisor, host, port, since=began):
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
        base = f"http://{web_address(EVERYWHERE.get(host, host), port)}"
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
    """Fail now, and clearly, when somebody else has the port or this machine has no such address."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, _protocol, _name, address in found:
            with socket.socket(family, kind) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
    except OSError as error:
        raise ConsoleError(
            _("The web process cannot listen on %(address)s: %(reason)s.")
            % {"address": web_address(host, port), "reason": error.strerror},
            recovery=_("Choose another port: make serve ARGS=“--port 8001”."),
            code="PORT_TAKEN",
            exit_code=Exit.USAGE,
        ) from error


def _all_answer(supervisor: Supervisor, host: str, port: int, *, since: datetime) -> bool:
    """Whether web and worker do their work; False when one of the processes has ended, which the supervisor tells.

    Raises ``ConsoleError`` naming what does not answer in time.
    """
    waiting: dict[str, Callable[[], bool]] = {
        "web": lambda: _web_answers(host, port),
        "worker": lambda: _worker_was_heard(since),
    }
    end = time.monotonic() + START_SECONDS
    try:
        while waiting:
            if supervisor.ended():
                return False
            if time.monotonic() > end:
                raise ConsoleError(
                    _("No answer within %(seconds)s seconds from: %(names)s.")
                    % {"seconds": f"{START_SECONDS:.0f}", "names": ", ".join(waiting)},
                    recovery=_("Its reason stands above. Run “manage.py doctor”."),
                    code="NOT_READY",
                    exit_code=Exit.UNAVAILABLE,
                )
            time.sleep(POLL_SECONDS)
            waiting = {name: answers for name, answers in waiting.items() if not answers()}
    finally:
        connections.close_all()
    return True


def _web_answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _worker_was_heard(since: datetime) -> bool:
    """Whether the worker that was just started takes messages: its event loop has turned."""
    name = f"{WORKER_NAME}@{socket.gethostname()}"
    return WorkerHeartbeat.objects.filter(worker=name, seen_at__gte=since).exists()
