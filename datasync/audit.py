"""The audit: what a person did is written down in the transaction in which it is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
    entry = _entry(action, actor, file=file, template=template, rows=rows, note=note, detail=detail or {})
    entry.save(force_insert=True)
    return entry


@dataclass(frozen=True, slots=True)
class Act:
    """One of many acts of the same kind, on a file or a template."""

    detail: dict[str, Any]
    file: CatalogFile | None = None
    template: HeaderTemplate | None = None
    rows: int = 0


def record_each(action: AuditAction, *, actor: AbstractBaseUser | None, acts: Iterable[Act]) -> None:
    """Write an entry for each of many files or templates, in a few statements."""
    entries = [
        _entry(action, actor, file=act.file, template=act.template, rows=act.rows, detail=act.detail) for act in acts
    ]
    AuditEntry.objects.bulk_create(entries, batch_size=500)


def _entry(action: AuditAction, actor: AbstractBaseUser | None, **values: Any) -> AuditEntry:
    name = actor.get_username() if actor else ""
    return AuditEntry(action=action, actor_id=actor.pk if actor else None, actor_name=name, **values)
