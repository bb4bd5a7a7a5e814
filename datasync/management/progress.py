"""Progress on standard error: shown to a person, not to a pipe."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from tqdm import tqdm


def add_progress_option(parser: CommandParser) -> None:
    """Let the caller decide whether progress is shown; unasked, it is where standard error is a terminal."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--progress", action="store_true", default=None, help=_("show progress on standard error"))
    group.add_argument("--no-progress", dest="progress", action="store_false", help=_("show no progress"))


def progress_wanted(options: dict[str, Any]) -> bool:
    """Whether to show progress."""
    asked = options.get("progress")
    return sys.stderr.isatty() if asked is None else bool(asked)


class Counter:
    """A bar over a number of things of one kind."""

    def __init__(self, *, unit: str, shown: bool) -> None:
        self._bar = tqdm(unit=f" {unit}", disable=not shown, leave=False, file=sys.stderr, dynamic_ncols=True)

    def reached(self, done: int, total: int | None = None) -> None:
        """Say how many are done, and how many there are where that is known."""
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


class SyncBars:
    """Two bars over a task: its files, and its rows with their speed."""

    def __init__(self, *, shown: bool) -> None:
        self._files = self._bar(shown, unit=_("files"), position=0)
        self._rows = self._bar(shown, unit=_("rows"), position=1)

    @staticmethod
    def _bar(shown: bool, *, unit: str, position: int) -> Any:
        return tqdm(
            desc=unit, unit="", unit_scale=position == 1, position=position, disable=not shown, file=sys.stderr,
            dynamic_ncols=True,
        )  # fmt: skip

    def show(self, progress: dict[str, Any]) -> None:
        """Move both bars to where the task stands."""
        files, rows = progress["files"], progress["rows"]
        self._files.total = files["total"]
        self._files.set_postfix_str((progress["current_file"] or "")[-40:], refresh=False)
        self._files.update(files["processed"] - self._files.n)
        self._rows.update(rows["read"] - self._rows.n)

    def close(self) -> None:
        """Leave both bars as they stand."""
        self._rows.close()
        self._files.close()
