"""The errors that all others come from, and how they are told."""

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

    def say(self, template: str) -> str:
        """A translation of the template with the parameters filled in; of a choice its label, not its code."""
        said = {name: getattr(value, "label", value) for name, value in self.params.items()}
        return template % said if said else template

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


class TransientError(SyncError):
    """Something outside the file failed; trying again can help."""

    code = "TEMPORARILY_UNAVAILABLE"
    recovery = "Nothing to do: it is tried again by itself."
    permanent = False


class StillUnavailable(TransientError):
    """Something outside the file failed each of the %(attempts)s times that it was tried."""

    code = "STILL_UNAVAILABLE"
    recovery = "See whether the database and the storage are well, then retry the task."


class DiskFull(TransientError):
    """There is no room left on a disk that this needs, or a quota of it is used up."""

    code = "DISK_FULL"
    recovery = "Make room. Files in work are tried again by themselves for some seconds; ask again for all others."


class NotFound(SyncError):
    """There is no such %(what)s."""

    code = "NOT_FOUND"
    recovery = "Check the id; things that belong to others are not shown."


class InvalidRequest(SyncError):
    """%(detail)s"""

    code = "VALIDATION_ERROR"
    recovery = "Correct the request."


class NotInRange(InvalidRequest):
    """%(name)s must be a whole number between %(least)s and %(most)s."""
