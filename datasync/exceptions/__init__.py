"""What can go wrong with a file or a run in a way that we expect.

The docstring of a class is its message: it says what happened; ``recovery`` says what to do. Both are message ids for
translation and may hold ``%(name)s`` parameters. No Django here, so that the reading child can raise them too.
"""

from __future__ import annotations

from datasync.exceptions.base import InvalidRequest, NotFound, NotInRange, SyncError, TransientError, error_classes
from datasync.exceptions.catalog import (
    DataNotFound,
    FileBeingDeleted,
    FileBusy,
    FileDeleted,
    FileNotFound,
    NeedsDescription,
    NotDeleted,
    TooLargeToRehearse,
    Undescribed,
    WrongNumberOfFiles,
)
from datasync.exceptions.facts import DomainNotFound, FactNotFound
from datasync.exceptions.mapping import (
    HeaderChanged,
    HeaderUnknown,
    KeyColumnMissing,
    NoTemplate,
    TemplateError,
    TemplateNotDraft,
    TemplateNotFound,
    TemplateNotInUse,
    TemplateOutdated,
    TemplateReplaced,
    UnsureMapping,
)
from datasync.exceptions.quarantine import CorrectionsRefused, NotAnExport, RowDecided, RowNotFound, RowsOfOldContent
from datasync.exceptions.reading import (
    CorruptFile,
    EmptyFile,
    EncryptedFile,
    FileChanged,
    FileError,
    FileMissing,
    NoSheet,
    ReaderCrashed,
    ReaderTimeout,
    TooLarge,
    UnclosedQuote,
    UndecodableText,
    UnsafeFile,
    UnsupportedFormat,
)
from datasync.exceptions.runs import FencedOut, InvalidTimezone, QuarantineRefused, TaskNotFound

__all__ = [
    "CorrectionsRefused",
    "CorruptFile",
    "DataNotFound",
    "DomainNotFound",
    "EmptyFile",
    "EncryptedFile",
    "FactNotFound",
    "FencedOut",
    "FileBeingDeleted",
    "FileBusy",
    "FileChanged",
    "FileDeleted",
    "FileError",
    "FileMissing",
    "FileNotFound",
    "HeaderChanged",
    "HeaderUnknown",
    "InvalidRequest",
    "InvalidTimezone",
    "KeyColumnMissing",
    "NeedsDescription",
    "NoSheet",
    "NoTemplate",
    "NotAnExport",
    "NotDeleted",
    "NotFound",
    "NotInRange",
    "QuarantineRefused",
    "ReaderCrashed",
    "ReaderTimeout",
    "RowDecided",
    "RowNotFound",
    "RowsOfOldContent",
    "SyncError",
    "TaskNotFound",
    "TemplateError",
    "TemplateNotDraft",
    "TemplateNotFound",
    "TemplateNotInUse",
    "TemplateOutdated",
    "TemplateReplaced",
    "TooLarge",
    "TooLargeToRehearse",
    "TransientError",
    "UnclosedQuote",
    "UndecodableText",
    "Undescribed",
    "UnsafeFile",
    "UnsupportedFormat",
    "UnsureMapping",
    "WrongNumberOfFiles",
    "error_classes",
]
