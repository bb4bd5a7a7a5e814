"""What an action tells the operator when something expected went wrong."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from datasync.exceptions import SyncError


def report_error(request: HttpRequest, error: SyncError, *, about: str = "") -> None:
    """Show what happened and what to do about it."""
    head = f"{about}: " if about else ""
    messages.error(request, f"{head}{error.say(_(error.template))} {_(error.recovery)}")
