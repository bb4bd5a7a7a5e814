"""Expected errors of the catalogue alone."""

from __future__ import annotations

from datasync.exceptions import FileError


class FileGrowing(FileError):
    """The file is still being written."""

    code = "FILE_GROWING"
    recovery = "Wait until it is complete, then scan again."
    permanent = False
