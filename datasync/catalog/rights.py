"""Who may do with files what cannot be undone: the same at every door."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


def may_delete_files(person: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether a person may delete files and restore them: staff with the right to delete them, and superusers."""
    is_staff = getattr(person, "is_active", False) and getattr(person, "is_staff", False)
    return bool(is_staff and person.has_perm("datasync.delete_catalogfile"))  # type: ignore[union-attr]
