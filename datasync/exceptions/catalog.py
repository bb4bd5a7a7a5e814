"""What can go wrong with files of the catalogue: finding, describing, rehearsing and deleting them."""

from __future__ import annotations

from datasync.exceptions.base import InvalidRequest, NotFound, SyncError
from datasync.exceptions.reading import TooLarge


class FileNotFound(NotFound):
    """There is no such file: %(what)s."""

    code = "FILE_NOT_FOUND"
    recovery = "List the files, or scan the folders first."


class DataNotFound(NotFound):
    """None of the files exists: %(what)s."""

    code = "DATA_NOT_FOUND"


class WrongNumberOfFiles(InvalidRequest):
    """file_ids must name between 1 and %(most)s files."""


class TooLargeToRehearse(TooLarge):
    """The file is too large for a dry run over the web: it has %(found)s, allowed are %(limit)s."""

    recovery = "Run “manage.py sync_files --dry-run --file-id” with its id: the command has no limit."


class NeedsDescription(SyncError):
    """It is not known what the file holds: %(missing)s is missing."""

    code = "NEEDS_DESCRIPTION"
    recovery = "Describe the file: platform, domain, granularity, shop, and the period or when it was collected."

    def __init__(self, *, missing: str = "platform, domain, granularity, shop or period") -> None:
        super().__init__(missing=missing)


class Undescribed(InvalidRequest):
    """It is not known what the file holds: %(missing)s is missing."""

    recovery = NeedsDescription.recovery


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


class NotDeleted(InvalidRequest):
    """The file %(file_id)s is not deleted."""


class LimitedToShops(SyncError):
    """This concerns all shops, and you are limited to some."""

    code = "LIMITED_TO_SHOPS"
    recovery = "Ask somebody who is not limited to shops."
