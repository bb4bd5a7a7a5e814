"""What an action tells the operator when something expected went wrong, or was left out."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from datasync.exceptions import SyncError

MOST_NAMED = 20
"""How many files a message names."""


def report_error(request: HttpRequest, error: SyncError, *, about: str = "") -> None:
    """Show what happened and what to do about it."""
    head = f"{about}: " if about else ""
    messages.error(request, f"{head}{error.say(_(error.template))} {_(error.recovery)}")


def report_busy(request: HttpRequest, file_ids: Sequence[int], *, about: str = "") -> None:
    """Name the files, the first of very many, that other tasks have; say nothing where there are none."""
    if not file_ids:
        return
    head = f"{about}: " if about else ""
    busy = ngettext(
        "%(count)s file is being synced already.", "%(count)s files are being synced already.", len(file_ids)
    )
    more = " …" if len(file_ids) > MOST_NAMED else ""
    named = ", ".join(map(str, file_ids[:MOST_NAMED]))
    messages.warning(request, f"{head}{busy % {'count': len(file_ids)}} ({named}{more})")
