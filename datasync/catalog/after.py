"""How a file stands after a sync that ended with an error."""

from __future__ import annotations

from datasync.choices import FileState
from datasync.exceptions import FileMissing, NeedsDescription, NoTemplate, TemplateError, UnsureMapping

WAITING: dict[type[Exception], FileState] = {
    NoTemplate: FileState.PENDING,
    UnsureMapping: FileState.PENDING,
    NeedsDescription: FileState.NEEDS_DESCRIPTION,
}
"""Errors that wait for a person's decision: the file is left out rather than failed."""


def state_after(error: Exception) -> FileState:
    """The state of a file whose sync ended with this error."""
    waiting = WAITING.get(type(error))
    if waiting is not None:
        return waiting
    if isinstance(error, TemplateError):
        return FileState.TEMPLATE_UPDATE_REQUIRED
    return FileState.SOURCE_MISSING if isinstance(error, FileMissing) else FileState.FAILED
