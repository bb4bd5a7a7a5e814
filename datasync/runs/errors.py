"""How an error is kept in a row: by its code and parameters, so that it can be shown in any language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from datasync.exceptions import SyncError

INTERNAL_ERROR = "INTERNAL_ERROR"


def error_document(error: Exception) -> dict[str, Any]:
    """The error as ``{"code", "message", "params", "recovery"}``. A bug shows nothing internal: the log has it."""
    if isinstance(error, SyncError):
        return error.document
    return {
        "code": INTERNAL_ERROR,
        "message": gettext_noop("The sync stopped at an error of the program."),
        "params": {},
        "recovery": gettext_noop("Tell the operators: the log of the worker holds the details."),
    }
