"""The audit: what a person did is written down in the transaction in which it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datasync.choices import AuditAction
from datasync.models import AuditEntry, CatalogFile, HeaderTemplate

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def record(
    action: AuditAction,
    *,
    actor: AbstractBaseUser | None,
    file: CatalogFile | None = None,
    template: HeaderTemplate | None = None,
    rows: int = 0,
    note: str = "",
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Write one entry. ``actor`` None: the command line, in nobody's name."""
    return AuditEntry.objects.create(
        action=action,
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username() if actor else "",
        file=file,
        template=template,
        rows=rows,
        note=note,
        detail=detail or {},
    )
