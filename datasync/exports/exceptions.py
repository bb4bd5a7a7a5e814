"""Expected errors of archives alone."""

from __future__ import annotations

from datasync.exceptions import NotFound, SyncError


class ExportNotFound(NotFound):
    """There is no such export: %(what)s."""

    code = "EXPORT_NOT_FOUND"


class LinkExpired(SyncError):
    """The download link is not valid any more."""

    code = "LINK_EXPIRED"
    recovery = "Ask for the export again: it has a new link as long as it is kept."


class NothingToExport(SyncError):
    """None of the files has anything of the kind: %(reasons)s."""

    code = "NOTHING_TO_EXPORT"
    recovery = "Choose other files, or another kind of export."


class ExportInterrupted(SyncError):
    """The export was interrupted %(attempts)s times while it was made."""

    code = "EXPORT_INTERRUPTED"
    recovery = "Choose fewer files; if it happens again, tell the operators."


class ExportFailed(SyncError):
    """The export stopped at an error of the program."""

    code = "EXPORT_FAILED"
    recovery = "Tell the operators: the log of the worker holds the details."
