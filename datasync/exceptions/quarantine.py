"""What can go wrong with quarantined rows."""

from __future__ import annotations

from datasync.exceptions.base import NotFound, SyncError
from datasync.exceptions.reading import FileChanged


class RowNotFound(NotFound):
    """There is no such quarantined row: %(what)s."""

    code = "ROW_NOT_FOUND"
    recovery = "List the quarantine: a new sync of a file replaces the rows about which nothing is decided."


class RowDecided(SyncError):
    """Row %(row)s has been decided already: it is %(state)s."""

    code = "ROW_DECIDED"
    recovery = "Nothing to do: a released row is among the facts, a discarded one stays out."


class RowsOfOldContent(FileChanged):
    """The file has other content by now than the one that these quarantined rows were read from."""

    recovery = "Sync the file first: its rows are judged anew then, and corrections of unchanged rows are kept."


class NotAnExport(SyncError):
    """No sheet has the column “%(column)s”, which says which row is which."""

    code = "NOT_AN_EXPORT"
    recovery = "Export the quarantined rows, correct them there, and keep the columns that begin with “quarantine:”."


class CorrectionsRefused(SyncError):
    """%(count)s rows of the sheet cannot be taken, so none was: %(rows)s"""

    code = "CORRECTIONS_REFUSED"
    recovery = "Mend these rows in the sheet or remove them from it; a rehearsal tells what would become of every row."
