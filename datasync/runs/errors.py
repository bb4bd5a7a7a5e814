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


def warning_document(warning: str) -> dict[str, Any]:
    """A warning as ``{"code", "message"}``; a sentence without a code of its own is a note.

    A code may be followed by a colon and the number that its sentence names, which is kept in ``params``.
    """
    code, _colon, count = warning.partition(":")
    message = WARNINGS.get(code)
    if message is None:
        return {"code": "NOTE", "message": warning}
    return {"code": code, "message": message} | ({"params": {"count": int(count)}} if count else {})


WARNINGS = {
    "NO_ROWS": gettext_noop("The file has a header but no rows of data."),
    "CORRECTIONS_DROPPED": gettext_noop(
        "Corrections that were not needed any more: %(count)s. The rows' own cells can be read now, or the file has "
        "other cells in their place."
    ),
}
"""Sentences of the warnings that the ingest gives as codes."""
