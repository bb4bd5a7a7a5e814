"""The demo's steps: introduce the shops, run a worker, submit everything, wait."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from datasync.access import EVERYTHING
from datasync.choices import TASK_TERMINAL
from datasync.management.base import ConsoleError, Exit
from datasync.models import CatalogFile, Platform, Shop, ShopAlias, SyncProgressTask
from datasync.runs.services import submit_by_ids
from datasync.samples import SampleSet
from erp.supervisor import Supervisor, worker_command

READY_SECONDS = 60.0
POLL_SECONDS = 0.2
_READY = " ready."


class WorkerLost(ConsoleError):
    """The worker ended, or never became ready."""

    def __init__(self, log: Path) -> None:
        super().__init__(
            _("The worker ended before its work did."),
            recovery=_("Its last words are in %s. Run the demo again; what was synced stays synced.") % log,
            code="WORKER_LOST",
            exit_code=Exit.UNAVAILABLE,
        )


class OtherSamples(ConsoleError):
    """The tables hold an earlier demo over other files, so no books could balance."""

    def __init__(self) -> None:
        super().__init__(
            _("The generated files differ from those of the demo that is here already."),
            recovery=_("Begin anew: make clean, then make demo."),
            code="OTHER_SAMPLES",
            exit_code=Exit.USAGE,
        )


def require_same_samples(samples: SampleSet, *, remembered: Path) -> None:
    """Remember the files of the first demo; raise ``OtherSamples`` when those of a later one differ."""
    digest = hashlib.sha256()
    for path in sorted(file.path for file in samples.files):
        digest.update(f"{path.relative_to(samples.folder)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    if not remembered.exists():
        remembered.write_text(digest.hexdigest(), encoding="utf-8")
    elif remembered.read_text(encoding="utf-8") != digest.hexdigest():
        raise OtherSamples


def introduce_shops(samples: SampleSet) -> None:
    """Make the shops known, as an operator does before the first export of a shop."""
    with transaction.atomic():
        for shop in samples.shops:
            Platform.objects.get_or_create(code=shop.platform, defaults={"name": shop.platform.title()})
            known, _created = Shop.objects.update_or_create(
                platform_id=shop.platform,
                shop_id=shop.shop_id,
                defaults={
                    "name": shop.name,
                    "region": shop.region,
                    "currency": shop.currency,
                    "timezone": shop.timezone,
                },
            )
            for label in shop.aliases:
                ShopAlias.objects.get_or_create(platform_id=shop.platform, label=label, defaults={"shop": known})


@contextmanager
def running_worker(*, processes: int, log: Path) -> Iterator[Callable[[], None]]:
    """A real worker on the installation's broker, stopped on the way out whatever happens.

    Gives a function that raises ``WorkerLost`` once the worker is gone.
    """
    with log.open("wb") as output, Supervisor() as supervisor:
        supervisor.start("worker", worker_command(name="demo", processes=processes), output=output)
        end = time.monotonic() + READY_SECONDS
        while _READY not in log.read_text(errors="replace"):
            if supervisor.ended() or time.monotonic() > end:
                raise WorkerLost(log)
            time.sleep(0.05)

        def check() -> None:
            if supervisor.ended():
                raise WorkerLost(log)

        yield check


def sync_everything() -> tuple[SyncProgressTask, bool]:
    """Submit every catalogued file, as the API does; also say whether all of them had been synced before."""
    files = CatalogFile.objects.order_by("id")
    repeated = SyncProgressTask.objects.filter(state__in=TASK_TERMINAL, total_files=files.count()).exists()
    submission = submit_by_ids(file_ids=list(files.values_list("id", flat=True)), owner=None, sight=EVERYTHING)
    return submission.task, repeated


def wait_for(task: SyncProgressTask, *, show: Callable[[SyncProgressTask], None], lost: Callable[[], None]) -> None:
    """Return when the task is closed. ``show`` is called on the way; ``lost`` raises when nobody works any more."""
    while True:
        task.refresh_from_db()
        show(task)
        if task.state in TASK_TERMINAL:
            return
        lost()
        time.sleep(POLL_SECONDS)
