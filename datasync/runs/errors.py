"""How an error is kept in a row: by its code and parameters, so that it can be shown in any language."""

from __future__ import annotations

from typing import Any

from datasync.exceptions import SyncError

INTERNAL_ERROR = "INTERNAL_ERROR"


def error_document(error: Exception) -> dict[str, Any]:
    """The error as ``{"code", "message", "params", "recovery"}``. A bug shows nothing internal: the log has it."""
    if isinstance(error, SyncError):
        return error.document
    return {
        "code": INTERNAL_ERROR,
        "message": "The sync stopped at an error of the program.",
        "params": {},
        "recovery": "Tell the operators: the log of the worker holds the details.",
    }


def warning_document(warning: str) -> dict[str, str]:
    """A warning as ``{"code", "message"}``; a sentence without a code of its own is a note."""
    message = WARNINGS.get(warning)
    return {"code": warning, "message": message} if message else {"code": "NOTE", "message": warning}


WARNINGS = {"NO_ROWS": "The file has a header but no rows of data."}
"""Sentences of the warnings that the ingest gives as codes."""
