"""Uploads in a folder."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.files.storage import FileSystemStorage


class UploadFolder(FileSystemStorage):
    """Files below ``UPLOAD_DIR``, readable by their owner and group only."""

    def __init__(self) -> None:
        super().__init__(file_permissions_mode=0o640)

    @property
    def base_location(self) -> str:
        """The folder as it is configured now."""
        return str(settings.UPLOAD_DIR)

    @property
    def location(self) -> str:
        """The same as an absolute path."""
        return os.path.abspath(self.base_location)  # noqa: PTH100 - links stay as they are configured
