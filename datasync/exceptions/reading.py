"""What can be wrong with the file itself."""

from __future__ import annotations

from datasync.exceptions.base import SyncError, TransientError


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


class StorageAway(TransientError):
    """The storage of uploaded files cannot be used at the moment."""


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
