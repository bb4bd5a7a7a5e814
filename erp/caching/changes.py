"""What makes cached things outdated: a change of a row, told when it is committed.

``watch`` binds a model to a tag. ``save``, ``delete`` and many-to-many changes are heard of by Django's signals; what
changes many rows in one statement sends none, so a watched model's manager is a ``WatchedManager``. Nothing is heard of
SQL that goes past the models: whoever writes that calls ``invalidate``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models.signals import m2m_changed, post_delete, post_save

from erp.caching import tags as versions

M = TypeVar("M", bound=models.Model)
_tag_of: dict[type[models.Model], str] = {}


class _Renewal:
    """What a transaction does for the cache once it is committed, in one go."""

    def __init__(self, tags: Iterable[str]) -> None:
        self.tags = set(tags)

    def __call__(self) -> None:
        versions.renew(self.tags)


def invalidate(*tags: str, using: str | None = None) -> None:
    """Make what was computed from these tags outdated: at the commit of the transaction, or now where there is none."""
    for renewal in _renewals(using):
        renewal.tags.update(tags)
        return
    transaction.on_commit(_Renewal(tags), using=using, robust=True)


def pending(tags: Collection[str], *, using: str | None = None) -> bool:
    """Whether the running transaction has changed any of this: what it sees is nobody else's to see yet."""
    return any(not renewal.tags.isdisjoint(tags) for renewal in _renewals(using))


def watch(model: type[models.Model], tag: str, *, relations: Collection[Any] = (), one_by_one: bool = True) -> None:
    """Let changes of a model's rows, and of its ``relations`` (many-to-many ``through``), change the tag's version.

    ``one_by_one`` False: no signal is asked for when rows are deleted, because with one Django reads every row before
    it deletes it; then only deletions by the manager are heard of.
    """
    _tag_of[model] = tag
    versions.known.add(tag)

    def heard(*, using: str, **_: Any) -> None:
        invalidate(tag, using=using)

    def heard_of_relation(*, action: str, using: str, **_: Any) -> None:
        if action.startswith("post_"):
            invalidate(tag, using=using)

    name = f"erp.caching.{tag}"
    post_save.connect(heard, sender=model, weak=False, dispatch_uid=name)
    if one_by_one:
        post_delete.connect(heard, sender=model, weak=False, dispatch_uid=name)
    for relation in relations:
        m2m_changed.connect(heard_of_relation, sender=relation, weak=False, dispatch_uid=name)


class WatchedQuerySet(models.QuerySet[M]):
    """Rows whose changes by one statement are heard of; ``bulk_update`` changes by ``update``."""

    def update(self, **values: Any) -> int:
        """Tell of it where a row was changed."""
        changed = super().update(**values)
        if changed:
            self._tell()
        return changed

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        """Tell of it where a row was deleted."""
        deleted = super().delete()
        if deleted[0]:
            self._tell()
        return deleted

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def bulk_create(self, *args: Any, **options: Any) -> list[M]:
        """Tell of it where there was something to write."""
        made = super().bulk_create(*args, **options)
        if made:
            self._tell()
        return made

    bulk_create.alters_data = True  # type: ignore[attr-defined]

    def _tell(self) -> None:
        if tag := _tag_of.get(self.model):
            invalidate(tag, using=self.db)


WatchedManager = models.Manager.from_queryset(WatchedQuerySet)


def _renewals(using: str | None) -> list[_Renewal]:
    """Those that wait for the commit. A savepoint that is rolled back takes its own with it."""
    database = transaction.get_connection(using)
    if not database.in_atomic_block:
        return []
    return [hook for _savepoints, hook, _robust in database.run_on_commit if isinstance(hook, _Renewal)]
