"""What the reading child says on standard error, kept for the log of its client."""

from __future__ import annotations

import logging
import os
import tempfile

logger = logging.getLogger(__name__)
KEPT_BYTES = 4096


class Complaints:
    """A nameless file, which unlike a pipe never makes the child wait; the child's own limits bound its size."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._logged_to = 0

    @property
    def closed(self) -> bool:
        """Whether the child was ended and its words are gone."""
        return self.file.closed

    def log(self, reason: str) -> None:
        """Log why the child failed, with the end of what it has said since the last time."""
        size = os.fstat(self.file.fileno()).st_size
        start = max(self._logged_to, size - KEPT_BYTES)
        said = os.pread(self.file.fileno(), size - start, start).decode("utf-8", "replace").strip()
        self._logged_to = size
        logger.error("The reading process failed: %s\n%s", reason, said or "It said nothing.")

    def close(self) -> None:
        """Forget what was said."""
        self.file.close()
