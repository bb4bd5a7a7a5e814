"""What is wrong with an installation, and what to do about it.

Each check looks at one thing and says what it found. A check that raises has failed, with the exception's text; one
that hangs is given up after ``LIMIT_SECONDS``, so that a frozen service does not freeze the doctor.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.files.storage import storages
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now

from datasync.choices import ItemState, TemplateState
from datasync.ingest.read import reader
from datasync.models import HeaderTemplate, SyncTaskFile
from erp.broker import QUEUES
from erp.health.probes import ask_broker, ask_cache, ask_database, ask_storage

LIMIT_SECONDS = 10.0
WORKER_ANSWER_SECONDS = 1.5
LEAST_POSTGRES = 15
GIB = 1024**3
DISK_FAIL_BYTES = GIB
DISK_WARN_BYTES = 5 * GIB
LEASE_ADVICE = (
    "The worker that had them was killed, is frozen, or lost the database. Look at its log and restart it: "
    "a worker that comes back goes on, one that is gone leaves its files in hand until they are freed."
)


class Status(StrEnum):
    """How a check ended; only ``fail`` keeps the product from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do where it is not well."""

    name: str
    status: Status
    detail: str
    advice: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at; ``advice`` is what to do when looking at it fails."""

    name: str
    look: Callable[[], Finding]
    advice: str


def examine() -> Iterator[Finding]:
    """Run every check, one after the other, so that each time shown is its own."""
    for check in CHECKS:
        yield _run(check)


def _run(check: Check) -> Finding:
    found: list[Finding] = []

    def look() -> None:
        try:
            found.append(check.look())
        except Exception as error:  # whatever went wrong is the finding
            text = " ".join(str(error).split()) or "no further word"
            found.append(Finding(check.name, Status.FAIL, f"{type(error).__name__}: {text}", check.advice))
        finally:
            connection.close()

    began = time.perf_counter()
    thread = threading.Thread(target=look, name=f"doctor-{check.name}", daemon=True)
    thread.start()
    thread.join(LIMIT_SECONDS)
    if not found:
        return Finding(check.name, Status.FAIL, f"no answer within {LIMIT_SECONDS:.0f} s", check.advice, LIMIT_SECONDS)
    return replace(found[0], seconds=round(time.perf_counter() - began, 3))


def look_at_settings() -> Finding:
    """The system checks have nothing to say; in production those for a deployment are among them."""
    found = [told for told in run_checks(include_deployment_checks=settings.PRODUCTION) if not told.is_silenced()]
    if not found:
        return Finding("settings", Status.OK, "for production" if settings.PRODUCTION else "for development")
    status = Status.FAIL if any(told.level >= ERROR for told in found) else Status.WARN
    detail = "; ".join(f"{told.id}: {told.msg}" for told in found)
    return Finding("settings", status, detail, " ".join(told.hint for told in found if told.hint))


def look_at_database() -> Finding:
    """It answers, and is new enough."""
    ask_database()
    if connection.vendor == "sqlite":
        import sqlite3  # noqa: PLC0415 - only the embedded database needs it

        return Finding("database", Status.OK, f"SQLite {sqlite3.sqlite_version}, {connection.settings_dict['NAME']}")
    version = connection.cursor().connection.info.server_version // 10000
    detail = f"PostgreSQL {version}, {connection.settings_dict['NAME']}"
    if version < LEAST_POSTGRES:
        return Finding("database", Status.FAIL, detail, f"Upgrade the server to PostgreSQL {LEAST_POSTGRES} or newer.")
    return Finding("database", Status.OK, detail)


def look_at_migrations() -> Finding:
    """The tables are those of this version."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        return Finding("migrations", Status.FAIL, f"not applied: {names}{more}", "Run: manage.py migrate")
    return Finding("migrations", Status.OK, "all applied")


def look_at_templates() -> Finding:
    """Files can be matched with something."""
    published = HeaderTemplate.objects.filter(state=TemplateState.PUBLISHED).count()
    if not published:
        return Finding("templates", Status.FAIL, "none is published", "Run: manage.py templates load")
    return Finding("templates", Status.OK, f"{published} published")


def look_at_broker() -> Finding:
    """A connection can be made. The URL is shown without its password."""
    ask_broker()
    embedded = str(current_app.conf.broker_url).startswith("folder")
    shown = f"folder {settings.VAR_DIR / 'broker'}" if embedded else current_app.connection_for_write().as_uri()
    return Finding("broker", Status.OK, shown)


def look_at_workers() -> Finding:
    """Somebody answers, and every queue has a taker."""
    ask_broker()
    answers = current_app.control.inspect(timeout=WORKER_ANSWER_SECONDS).active_queues() or {}
    start = "Start one: make serve, or: celery -A erp worker --queues " + ",".join(QUEUES)
    if not answers:
        return Finding("workers", Status.WARN, "none answers; what is submitted waits", start)
    untaken = set(QUEUES) - {queue["name"] for queues in answers.values() for queue in queues}
    if untaken:
        return Finding("workers", Status.WARN, f"no worker takes {', '.join(sorted(untaken))}", start)
    return Finding("workers", Status.OK, ", ".join(sorted(answers)))


def look_at_leases() -> Finding:
    """Nobody left a file in hand."""
    abandoned = SyncTaskFile.objects.filter(state=ItemState.PROCESSING, lease_until__lt=Now())
    if not (count := abandoned.count()):
        return Finding("leases", Status.OK, "no file was left in hand")
    first = abandoned.select_related("task").order_by("lease_until")[0]
    return Finding(
        "leases",
        Status.WARN,
        f"work in hand whose lease ran out: {count} items, the oldest of task {first.task.task_id}",
        LEASE_ADVICE,
    )


def look_at_cache() -> Finding:
    """What is written can be read back."""
    ask_cache()
    return Finding("cache", Status.OK, settings.CACHES["default"]["BACKEND"].rsplit(".", 1)[1])


def look_at_storage() -> Finding:
    """Uploads can be written."""
    ask_storage()
    bucket = getattr(storages["uploads"], "bucket_name", "")
    return Finding("storage", Status.OK, f"bucket {bucket}" if bucket else str(settings.UPLOAD_DIR))


def look_at_disk() -> Finding:
    """There is room where the product writes."""
    folders = [_nearest_existing(path) for path in (settings.VAR_DIR, settings.UPLOAD_DIR)]
    free, folder = min((shutil.disk_usage(path).free, path) for path in folders)
    detail = f"{free / GIB:.1f} GiB free at {folder}"
    if free >= DISK_WARN_BYTES:
        return Finding("disk", Status.OK, detail)
    status = Status.FAIL if free < DISK_FAIL_BYTES else Status.WARN
    return Finding("disk", status, detail, "Make room, or move VAR_DIR and UPLOAD_DIR to a larger disk.")


def _nearest_existing(path: Path) -> Path:
    """The folder on whose disk a folder that is yet to be made will lie."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def look_at_roots() -> Finding:
    """The folders that are scanned for exports exist and can be read."""
    bad = [str(root) for root in settings.DATA_ROOTS if not (root.is_dir() and os.access(root, os.R_OK | os.X_OK))]
    if bad:
        return Finding(
            "roots",
            Status.WARN,
            f"cannot be read: {', '.join(bad)}",
            "Make them, let this user read them, or correct DATA_ROOTS.",
        )
    return Finding("roots", Status.OK, ", ".join(str(root) for root in settings.DATA_ROOTS))


def look_at_reader() -> Finding:
    """The process that parses files starts and reads one."""
    with tempfile.TemporaryDirectory(prefix="erp-doctor-") as folder:
        path = Path(folder, "probe.csv")
        path.write_text("order,amount\n1,2.50\n", encoding="utf-8")
        reader().head(path, rows=2)
    return Finding("reader", Status.OK, "reads a file in a process of its own")


CHECKS: tuple[Check, ...] = (
    Check("settings", look_at_settings, "Correct the settings; deploy/environment.example describes them."),
    Check("database", look_at_database, "Start the server, or correct DATABASE_URL."),
    Check("migrations", look_at_migrations, "Repair the database first."),
    Check("templates", look_at_templates, "Run: manage.py migrate && manage.py templates load"),
    Check("broker", look_at_broker, "Start the broker, or correct REDIS_URL or CELERY_BROKER_URL."),
    Check("workers", look_at_workers, "Repair the broker first."),
    Check("leases", look_at_leases, "Repair the database first."),
    Check("cache", look_at_cache, "Start Redis, or correct CACHE_URL or REDIS_URL."),
    Check("storage", look_at_storage, "Let this user write to UPLOAD_DIR, or correct UPLOAD_BUCKET and its keys."),
    Check("disk", look_at_disk, "Correct VAR_DIR and UPLOAD_DIR."),
    Check("roots", look_at_roots, "Correct DATA_ROOTS."),
    Check("reader", look_at_reader, "Install the requirements again; raise READER_MEMORY_MB if it is small."),
)
