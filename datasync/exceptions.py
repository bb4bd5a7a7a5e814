"""What can go wrong with a file or a run in a way that we expect.

The docstring of a class is its message: it says what happened; ``recovery`` says what to do. Both are message ids for
translation and may hold ``%(name)s`` parameters. No Django here, so that the reading child can raise them too.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SyncError(Exception):
    """The file could not be synced."""

    code: ClassVar[str] = "SYNC_FAILED"
    recovery: ClassVar[str] = "Look at the file's last error and try again."
    permanent: ClassVar[bool] = True
    """A permanent error comes back however often the file is tried; only the others are retried."""

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(self.message)

    @property
    def template(self) -> str:
        """The untranslated message, with its ``%(name)s`` placeholders."""
        return " ".join((type(self).__doc__ or "").split())

    @property
    def message(self) -> str:
        """The English message with its parameters filled in."""
        return self.template % self.params if self.params else self.template

    @property
    def document(self) -> dict[str, Any]:
        """The error as it is kept with a file: plain values, the message in English."""
        params = {name: value if isinstance(value, (int, float)) else str(value) for name, value in self.params.items()}
        return {"code": self.code, "message": self.message, "params": params, "recovery": self.recovery}


def error_classes() -> dict[str, type[SyncError]]:
    """Every expected error by its code."""
    found: dict[str, type[SyncError]] = {}
    pending: list[type[SyncError]] = [SyncError]
    while pending:
        cls = pending.pop()
        found.setdefault(cls.code, cls)  # a subclass without a code of its own is told as its parent
        pending.extend(cls.__subclasses__())
    return found


# The file itself


class FileError(SyncError):
    """The file could not be read."""

    code = "FILE_UNREADABLE"
    recovery = "Export the file again from the marketplace and upload it."


class FileMissing(FileError):
    """The file is no longer where the catalogue saw it."""

    code = "SOURCE_MISSING"
    recovery = "Put the file back or upload it again, then scan."


class FileChanged(FileError):
    """The file was replaced or changed between being queued and being read."""

    code = "FILE_CHANGED"
    recovery = "Scan again: the new content becomes a new version that can be synced."


class RowsOfOldContent(FileChanged):
    """The file has other content by now than the one that these quarantined rows were read from."""

    recovery = "Sync the file first: its rows are judged anew then, and corrections of unchanged rows are kept."


class EmptyFile(FileError):
    """The file has no content: %(found)s."""

    code = "EMPTY_FILE"


class UnsupportedFormat(FileError):
    """The file is no spreadsheet that can be read: found %(found)s."""

    code = "UNSUPPORTED_FORMAT"
    recovery = "Export it as xlsx, xls or csv."


class CorruptFile(FileError):
    """The file is damaged: %(found)s."""

    code = "CORRUPT_FILE"


class EncryptedFile(FileError):
    """The workbook is protected by a password."""

    code = "ENCRYPTED"
    recovery = "Open it, save it without a password, and upload that."


class UnsafeFile(FileError):
    """The file is built in a way that real exports are not, and was refused before it was parsed: %(found)s."""

    code = "UNSAFE_FILE"
    recovery = "Export the file again; if it really comes from a marketplace, tell the operators."


class TooLarge(FileError):
    """The file is over the limit: %(found)s, allowed are %(limit)s."""

    code = "TOO_LARGE"
    recovery = "Export a shorter period, or split the file."


class TooLargeToRehearse(TooLarge):
    """The file is too large for a dry run over the web: it has %(found)s, allowed are %(limit)s."""

    recovery = "Run “manage.py sync_files --dry-run --file-id” with its id: the command has no limit."


class UnclosedQuote(FileError):
    """A quotation mark opened in row %(row)s is never closed and would swallow the rest of the file."""

    code = "UNCLOSED_QUOTE"
    recovery = "Correct the row, or export the file again."


class UndecodableText(FileError):
    """The text fits none of the known encodings (%(found)s)."""

    code = "UNDECODABLE_TEXT"
    recovery = "Save the file as UTF-8 CSV and upload that."


class NoSheet(FileError):
    """The workbook has no such sheet: wanted %(wanted)s, found %(found)s."""

    code = "SHEET_NOT_FOUND"
    recovery = "Correct the sheet in the header template."


class ReaderCrashed(FileError):
    """The file made the reading process crash (%(found)s)."""

    code = "READER_CRASHED"
    recovery = "Open the file and save it anew; if it crashes again, tell the operators."


class ReaderTimeout(FileError):
    """Reading took longer than the limit of %(limit)s seconds."""

    code = "READER_TIMEOUT"
    recovery = "Split the file, or raise the limit."


# The file's header and its template


class TemplateError(SyncError):
    """The file does not fit its header template."""

    code = "TEMPLATE_ERROR"
    recovery = "Publish a new version of the template, then sync again."


class HeaderChanged(TemplateError):
    """The file's header no longer fits its template: missing %(missing)s."""

    code = "HEADER_CHANGED"


class KeyColumnMissing(TemplateError):
    """The header lacks a column that identifies a row: %(missing)s."""

    code = "KEY_COLUMN_MISSING"


class NoTemplate(TemplateError):
    """No published header template fits this file."""

    code = "NO_TEMPLATE"
    recovery = "Review the suggested mapping and publish it, or sync with only_with_template=false."


class TemplateReplaced(TemplateError):
    """Another template than %(template)s is in use for this file by now."""

    code = "TEMPLATE_REPLACED"
    recovery = "Start a remap of the template that is in use now."


class UnsureMapping(TemplateError):
    """No template fits, and the suggested mapping is not sure enough of what identifies a row."""

    code = "UNSURE_MAPPING"
    recovery = "Review the suggested mapping and publish it."


class NeedsDescription(SyncError):
    """It is not known what the file holds: %(missing)s is missing."""

    code = "NEEDS_DESCRIPTION"
    recovery = "Describe the file: platform, domain, granularity, shop, and the period or when it was collected."

    def __init__(self, *, missing: str = "platform, domain, granularity, shop or period") -> None:
        super().__init__(missing=missing)


class InvalidTimezone(SyncError):
    """The shop's time zone %(timezone)s is not known, so its local times cannot be understood."""

    code = "SHOP_TIMEZONE_INVALID"
    recovery = "Give the shop an IANA time zone such as Asia/Singapore, then sync again."


class QuarantineRefused(SyncError):
    """%(count)s rows cannot be trusted, and the sync was asked to refuse such a file."""

    code = "ROWS_REJECTED"
    recovery = "Sync with allow_quarantine=true, or correct the file."


# The run


class TransientError(SyncError):
    """Something outside the file failed; trying again can help."""

    code = "TEMPORARILY_UNAVAILABLE"
    recovery = "Nothing to do: it is tried again by itself."
    permanent = False


class FencedOut(SyncError):
    """Another worker took this file over; what this one did was rolled back."""

    code = "FENCED_OUT"
    recovery = "Nothing to do: the other worker finishes the file."


# Asked for by a door


class NotFound(SyncError):
    """There is no such %(what)s."""

    code = "NOT_FOUND"
    recovery = "Check the id; things that belong to others are not shown."


class FileNotFound(NotFound):
    """There is no such file: %(what)s."""

    code = "FILE_NOT_FOUND"
    recovery = "List the files, or scan the folders first."


class DataNotFound(NotFound):
    """None of the files exists: %(what)s."""

    code = "DATA_NOT_FOUND"


class TaskNotFound(NotFound):
    """There is no such task: %(what)s."""

    code = "TASK_NOT_FOUND"


class TemplateNotFound(NotFound):
    """There is no such header template: %(what)s."""

    code = "TEMPLATE_NOT_FOUND"
    recovery = "List the templates; each version has an id of its own."


class TemplateNotDraft(SyncError):
    """The template %(name)s is %(state)s, and only a draft can be changed, deleted or published."""

    code = "TEMPLATE_NOT_DRAFT"
    recovery = "Make a new version of it: a copy as a draft, to be changed and published."


class TemplateOutdated(SyncError):
    """The draft %(name)s is older than %(newer)s, which is in use."""

    code = "TEMPLATE_OUTDATED"
    recovery = "Make a new version of the one that is in use, change that, and publish it."


class TemplateNotInUse(SyncError):
    """The template %(name)s is %(state)s, and only the rows of one that is in use can be typed again."""

    code = "TEMPLATE_NOT_IN_USE"
    recovery = "Publish it first, or remap the version that is published."


class HeaderUnknown(SyncError):
    """The catalogue knows no header of file %(what)s, so that it cannot be compared with a template."""

    code = "HEADER_UNKNOWN"
    recovery = "Look at the file's last error, put the file right, and scan again."


class DomainNotFound(NotFound):
    """There is no such domain: %(what)s."""

    code = "DOMAIN_NOT_FOUND"
    recovery = "Name one of: orders, products, analytics, services, inventory, finance."


class FactNotFound(NotFound):
    """There is no such fact: %(what)s."""

    code = "FACT_NOT_FOUND"
    recovery = "Check the record key; a row goes when its file is deleted with its rows."


class RowNotFound(NotFound):
    """There is no such quarantined row: %(what)s."""

    code = "ROW_NOT_FOUND"
    recovery = "List the quarantine: a new sync of a file replaces the rows about which nothing is decided."


class RowDecided(SyncError):
    """Row %(row)s has been decided already: it is %(state)s."""

    code = "ROW_DECIDED"
    recovery = "Nothing to do: a released row is among the facts, a discarded one stays out."


class NotAnExport(SyncError):
    """No sheet has the column “%(column)s”, which says which row is which."""

    code = "NOT_AN_EXPORT"
    recovery = "Export the quarantined rows, correct them there, and keep the columns that begin with “quarantine:”."


class FileBusy(SyncError):
    """The file is already being synced by task %(task_id)s."""

    code = "FILE_BUSY"
    recovery = "Follow that task, or wait until it is finished."


class FileDeleted(SyncError):
    """The file was deleted from the catalogue; its id is %(file_id)s."""

    code = "FILE_DELETED"
    recovery = "Restore it with “manage.py files restore”, or upload it again."


class FileBeingDeleted(SyncError):
    """Rows of the deleted file %(file_id)s are still being removed."""

    code = "FILE_BEING_DELETED"
    recovery = "Wait a moment; “manage.py files delete” or a scan goes on with it where no worker does."


class InvalidRequest(SyncError):
    """%(detail)s"""

    code = "VALIDATION_ERROR"
    recovery = "Correct the request."


class NotDeleted(InvalidRequest):
    """The file %(file_id)s is not deleted."""


class NotInRange(InvalidRequest):
    """%(name)s must be a whole number between %(least)s and %(most)s."""


class WrongNumberOfFiles(InvalidRequest):
    """file_ids must name between 1 and %(most)s files."""


class Undescribed(InvalidRequest):
    """It is not known what the file holds: %(missing)s is missing."""

    recovery = NeedsDescription.recovery
