"""What can go wrong with accounts and component versions."""

from __future__ import annotations

from datasync.exceptions.base import SyncError


class VersionNotDraft(SyncError):
    """%(version)s is not a draft; it was released before."""

    code = "VERSION_NOT_DRAFT"
    recovery = "Nothing to do, or add another version."


class VersionNotReleased(SyncError):
    """%(version)s is not released, so it cannot be withdrawn."""

    code = "VERSION_NOT_RELEASED"
    recovery = "Delete a draft that nobody needs; what is withdrawn stays so."


class ChecksumMissing(SyncError):
    """%(version)s has no checksum."""

    code = "CHECKSUM_MISSING"
    recovery = "Write the SHA-256 of what is installed, then release it."
