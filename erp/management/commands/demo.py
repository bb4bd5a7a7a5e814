"""Generated exports, a real worker, and books that have to balance."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from tqdm import tqdm

from datasync.access import EVERYTHING
from datasync.catalog.services import scan
from datasync.management.base import ConsoleCommand, ConsoleError, Exit, Outcome
from datasync.management.progress import SyncBars, add_progress_option, progress_wanted
from datasync.models import SyncProgressTask
from datasync.runs.selectors import progress
from datasync.samples import SampleSet, make_samples
from erp.demo.books import differences
from erp.demo.report import document, report
from erp.demo.run import introduce_shops, require_same_samples, running_worker, sync_everything, wait_for
from erp.preparation import prepare
from erp.supervisor import StopRequested, stop_on_signals


class Command(ConsoleCommand):
    """Exits with 0 only when every row of every file is where it has to be."""

    summary = gettext_lazy("Generate sample exports, sync them with a real worker, and check the books.")

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--rows", type=int, default=100_000, help=_("rows to generate, about"))
        parser.add_argument("--processes", type=int, default=2, help=_("processes of the worker"))
        add_progress_option(parser)

    def work(self, options: dict[str, Any]) -> Outcome:
        shown = progress_wanted(options)
        stop_on_signals()
        try:
            prepare()
            samples = self._generate(options["rows"], shown=shown)
            require_same_samples(samples, remembered=settings.VAR_DIR / "samples.sha256")
            introduce_shops(samples)
            task, repeated = self._sync(options["processes"], shown=shown)
        except StopRequested:
            raise ConsoleError(
                _("Stopped; the worker is gone too."),
                recovery=_("Run the demo again: it goes on where it was."),
                code="STOPPED",
                exit_code=Exit.INTERRUPTED,
            ) from None
        wrong = list(differences(samples, task, repeated=repeated))
        return Outcome(
            document=document(task) | {"repeated": repeated, "balanced": not wrong, "differences": wrong},
            lines=report(task, wrong),
            exit=Exit.BUG if wrong else Exit.OK,
        )

    def _generate(self, rows: int, *, shown: bool) -> SampleSet:
        self._say(_("Generating sample exports in %s") % _inbox())
        with tqdm(desc=_("files"), disable=not shown, leave=False, file=sys.stderr) as bar:

            def step(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            return make_samples(_inbox(), rows=rows, progress=step)

    def _sync(self, processes: int, *, shown: bool) -> tuple[SyncProgressTask, bool]:
        log = settings.VAR_DIR / "worker.log"
        self._say(_("Starting a worker with %(processes)s processes; its log is %(log)s")
                  % {"processes": processes, "log": log})  # fmt: skip
        with running_worker(processes=processes, log=log) as lost:
            found = scan(sight=EVERYTHING)
            self._say(_("%s files found") % found.seen)
            self._say(_("Syncing every file"))
            task, repeated = sync_everything()
            bars = SyncBars(shown=shown)
            try:
                wait_for(task, show=lambda task: bars.show(progress(task, sight=EVERYTHING, page_size=1)), lost=lost)
            finally:
                bars.close()
        return task, repeated

    def _say(self, text: str) -> None:
        self.stderr.write(text, style_func=str)


def _inbox() -> Path:
    """Where the demo's files go: the first root that is scanned."""
    folder: Path = settings.DATA_ROOTS[0]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
