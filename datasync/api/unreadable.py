"""What can be wrong with a file that a call reads: each such call documents all of it, wherever the file comes from."""

from __future__ import annotations

from datasync.exceptions import (
    CorruptFile,
    EmptyFile,
    EncryptedFile,
    FileChanged,
    FileError,
    FileMissing,
    NoSheet,
    ReaderCrashed,
    ReaderTimeout,
    StorageAway,
    TooLarge,
    UnclosedQuote,
    UndecodableText,
    UnsafeFile,
    UnsupportedFormat,
)

AT_FIRST_SIGHT = (EmptyFile, UnsupportedFormat, CorruptFile, EncryptedFile, UnsafeFile, TooLarge, UndecodableText)
"""What the first bytes say, and the directory of an archive: all that is looked at before an upload is kept."""
UNREADABLE = (*AT_FIRST_SIGHT, UnclosedQuote, NoSheet, ReaderCrashed, ReaderTimeout)
"""What a sheet of a file may say."""
OUT_OF_REACH = (FileMissing, FileChanged, FileError, StorageAway)
"""Why a file of the catalogue is not the one that it saw, or cannot be opened."""
