"""Sync catalogued files: those that are pending and fit, chosen ones, or all that have a template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import EVERYTHING
from datasync.catalog.selectors import pending_files, present_files
from datasync.choices import DomainChoice, Granularity
from datasync.exceptions import DataNotFound, InvalidRequest
from datasync.management.arguments import file_id, find_user, require_platform, require_shop, whole_number
from datasync.management.base import ConsoleCommand, Outcome
from datasync.management.dry_run import rehearse_files
from datasync.management.progress import add_progress_option, progress_wanted
from datasync.management.watching import follow
from datasync.models import SyncProgressTask
from datasync.runs import services
from datasync.runs.deadline import LEAST_SECONDS, MOST_SECONDS
from datasync.runs.services import MOST_FILES, Submission

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_FILTERS = ("platform", "domain", "granularity", "shop", "since_hours", "limit")
DEFAULT_LIMIT = 100
DEFAULT_PRIORITY = 5


class Command(ConsoleCommand):
    summary = gettext_lazy(
        "Queue files to be synced by the workers. Without options: up to 100 pending files of every kind. "
        "Exit code with --wait: 0 all synced, 3 rows were quarantined, 4 files were refused; "
        "5 always when the broker did not take the work. With --dry-run nothing is queued or written, and the exit "
        "code is that of the sync."
    )

    def add_options(self, parser: CommandParser) -> None:
        """Which files, how, and whether to wait."""
        which = parser.add_argument_group(_("which files"))
        which.add_argument("--platform", help=_("pending files of this platform"))
        which.add_argument(
            "--domain", action="append", default=[], choices=DomainChoice.values, help=_("of this domain; repeatable")
        )
        which.add_argument(
            "--granularity", action="append", default=[], choices=Granularity.values,
            help=_("of this granularity; repeatable"),
        )  # fmt: skip
        which.add_argument("--shop", help=_("of this shop: its id on the platform"))
        which.add_argument("--since-hours", type=whole_number(1, 100_000), help=_("first seen within so many hours"))
        which.add_argument(
            "--limit", type=whole_number(1, MOST_FILES), help=_("so many files at most (default %s)") % DEFAULT_LIMIT
        )
        which.add_argument(
            "--file-id", type=file_id, action="append", default=[], help=_("this file, pending or not; repeatable")
        )
        which.add_argument("--all", action="store_true", help=_("every pending file that has a template"))
        how = parser.add_argument_group(_("how"))
        how.add_argument(
            "--without-template", action="store_true", help=_("use the suggested mapping where no template fits")
        )
        how.add_argument(
            "--refuse-quarantine", action="store_true", help=_("refuse a file with rows that cannot be trusted")
        )
        how.add_argument(
            "--priority", type=whole_number(1, 10), default=DEFAULT_PRIORITY,
            help=_("1 to 10, 10 first (default %(default)s)"),
        )  # fmt: skip
        how.add_argument(
            "--deadline", type=whole_number(LEAST_SECONDS, MOST_SECONDS), metavar=_("SECONDS"),
            help=_("leave out files that no worker has begun by then (default %s)") % settings.BATCH_DEADLINE_SECONDS,
        )  # fmt: skip
        how.add_argument("--user", help=_("in whose name"))
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help=_("queue nothing: say what a sync would do, whatever the file's size"),
        )
        parser.add_argument("--wait", action="store_true", help=_("wait until all is done, and exit as it ended"))
        parser.add_argument("--timeout", type=whole_number(1, 10**6), help=_("wait no longer than so many seconds"))
        add_progress_option(parser)

    def work(self, options: dict[str, Any]) -> Outcome:
        """Submit, and wait where asked to; or only say what would happen."""
        owner = find_user(options["user"])
        _check(options)
        if options["dry_run"]:
            return self._rehearse(options)
        submission = _submit(options, owner)
        if submission is None:
            return _nothing()
        for ids, text in ((submission.missing_file_ids, _("Not found: %s")), (submission.busy_file_ids, _("Busy: %s"))):
            if ids:
                self.stderr.write(text % ", ".join(map(str, ids)))
        return follow(
            submission.task,
            options,
            missing_file_ids=list(submission.missing_file_ids),
            busy_file_ids=list(submission.busy_file_ids),
        )

    def _rehearse(self, options: dict[str, Any]) -> Outcome:
        """Say what a sync of the chosen files would do; a busy one is rehearsed like the others."""
        wanted = list(dict.fromkeys(options["file_id"]))
        chosen = _existing(wanted) if wanted else _pending(options)
        missing = [one for one in wanted if one not in chosen]
        if wanted and not chosen:
            raise DataNotFound(what=", ".join(map(str, wanted[:10])))
        if not chosen:
            return _nothing()
        if missing:
            self.stderr.write(_("Not found: %s") % ", ".join(map(str, missing)))
        return rehearse_files(chosen, shown=progress_wanted(options), missing_file_ids=missing, **_flags(options))


def _nothing() -> Outcome:
    nothing = _("Nothing is pending. “manage.py scan_files” looks for new files.")
    return Outcome({"task_id": None, "message": nothing, "files": {"total": 0}}, [nothing])


def _flags(options: dict[str, Any]) -> dict[str, bool]:
    return {
        "only_with_template": not options["without_template"],
        "allow_quarantine": not options["refuse_quarantine"],
    }


def _check(options: dict[str, Any]) -> None:
    """Refuse what is not known and what does not go together."""
    require_platform(options["platform"])
    require_shop(options["shop"], platform=options["platform"])
    if (options["all"] or options["file_id"]) and any(options[name] for name in _FILTERS):
        raise InvalidRequest(detail=_("Choose files by filters, by --file-id or by --all, not by several."))
    if options["all"] and (options["file_id"] or not all(_flags(options).values())):
        raise InvalidRequest(detail=_("--all goes with --priority, --deadline and --user only."))


def _submit(options: dict[str, Any], owner: User | None) -> Submission | None:
    """Submit what the options ask for; None when nothing is pending."""
    flags = _flags(options)
    if options["all"]:
        return _submitted(services.submit_all(owner=owner, sight=EVERYTHING, **_urgency(options)))
    if not options["file_id"] and not options["shop"]:
        task = services.submit_batch(
            sight=EVERYTHING,
            owner=owner,
            platform=options["platform"],
            domains=options["domain"],
            granularities=options["granularity"],
            since_hours=options["since_hours"],
            limit=options["limit"] or DEFAULT_LIMIT,
            **_urgency(options),
            **flags,
        )
        return _submitted(task)
    chosen = options["file_id"] or _pending(options)
    if not chosen:
        return None
    return services.submit_by_ids(file_ids=chosen, owner=owner, sight=EVERYTHING, **_urgency(options), **flags)


def _urgency(options: dict[str, Any]) -> dict[str, Any]:
    return {"priority": options["priority"], "deadline_seconds": options["deadline"]}


def _submitted(task: SyncProgressTask | None) -> Submission | None:
    return None if task is None else Submission(task=task)


def _existing(file_ids: list[int]) -> list[int]:
    """Those of the files that the catalogue has, in the order given."""
    found = set(present_files(sight=EVERYTHING).filter(pk__in=file_ids).values_list("pk", flat=True))
    return [one for one in file_ids if one in found]


def _pending(options: dict[str, Any]) -> list[int]:
    """The pending files that a sync with these options would take: those that pass the filters, or all."""
    files = pending_files(
        sight=EVERYTHING,
        platform=options["platform"],
        domains=options["domain"],
        granularities=options["granularity"],
        since_hours=options["since_hours"],
        with_template_only=not options["without_template"],
    )
    if options["shop"]:
        files = files.filter(shop__shop_id=options["shop"])
    most = None if options["all"] else options["limit"] or DEFAULT_LIMIT
    return list(files.values_list("pk", flat=True)[:most])
