"""Saying how accounts stand and when they were used, and releasing and withdrawing versions of components."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from datasync.access import Sight
from datasync.choices import AccountState, VersionState
from datasync.collection.selectors import in_sight
from datasync.exceptions import ChecksumMissing, VersionNotDraft, VersionNotReleased
from datasync.models import CatalogFile, CollectionAccount, ComponentVersion


def set_account_state(account_ids: Collection[int], *, state: AccountState) -> list[CollectionAccount]:
    """Let these accounts stand so; those that did not before, as they are now."""
    with transaction.atomic():
        rows = CollectionAccount.objects.select_for_update().filter(pk__in=account_ids).exclude(state=state)
        changed = list(rows.order_by("pk"))
        CollectionAccount.objects.filter(pk__in=[one.pk for one in changed]).update(state=state)
    for one in changed:
        one.state = state
    return changed


def note_collected(files: Iterable[CatalogFile], *, sight: Sight) -> None:
    """Note of the accounts that these files name when they were used last; what a file says of the future is not true.

    One statement for each account that is named. Accounts that nobody keeps are not made, and those that whoever says
    it does not see are left alone.
    """
    latest: dict[tuple[str, str], datetime] = {}
    now = timezone.now()
    for file in files:
        if file.platform_id and file.account and file.collected_at and file.collected_at <= now:
            key = file.platform_id, file.account
            latest[key] = max(file.collected_at, latest.get(key, file.collected_at))
    for (platform, account), moment in latest.items():
        older = Q(last_collected_at=None) | Q(last_collected_at__lt=moment)
        rows = CollectionAccount.objects.filter(older, in_sight(sight), platform=platform, account=account)
        rows.update(last_collected_at=moment)


def release_version(version_id: int) -> ComponentVersion:
    """Release a draft, now unless its time is written. Raises ``VersionNotDraft`` and ``ChecksumMissing``."""
    with transaction.atomic():
        version = _held(version_id)
        if version.state != VersionState.DRAFT:
            raise VersionNotDraft(version=version)
        if not version.checksum:
            raise ChecksumMissing(version=version)
        _rows(version).update(state=VersionState.RELEASED, released_at=Coalesce("released_at", Now()))
        version.refresh_from_db()
    return version


def withdraw_version(version_id: int) -> ComponentVersion:
    """Withdraw a released version for good. Raises ``VersionNotReleased``."""
    with transaction.atomic():
        version = _held(version_id)
        if version.state != VersionState.RELEASED:
            raise VersionNotReleased(version=version)
        _rows(version).update(state=VersionState.WITHDRAWN)
        version.refresh_from_db()
    return version


def _held(version_id: int) -> ComponentVersion:
    return ComponentVersion.objects.select_for_update().get(pk=version_id)


def _rows(version: ComponentVersion) -> QuerySet[ComponentVersion]:
    return ComponentVersion.objects.filter(pk=version.pk)
