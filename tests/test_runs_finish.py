"""Finishing: rows, books and states appear together, and only for who still holds the lease."""

from __future__ import annotations

import uuid

import pytest
from django.db import transaction

from datasync.access import EVERYTHING
from datasync.choices import FileState, ItemState
from datasync.exceptions import FencedOut, FileChanged
from datasync.ingest.measure import Measure, from_document
from datasync.ingest.plan import Counts
from datasync.models import CatalogFile
from datasync.runs import finish, services
from datasync.runs.claim import Claim, claim_next
from tests.runs_support import Bell, bell, make_file

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)


def _claimed() -> Claim:
    claim = claim_next(services.submit_single(file_id=make_file().pk, owner=None, sight=EVERYTHING).pk)
    assert claim is not None
    return claim


def _succeed(claim: Claim, counts: Counts) -> None:
    with transaction.atomic():
        CatalogFile.objects.filter(pk=claim.file_id).update(account="loaded")
        measures: dict[int | None, Measure] = {None: Measure(rows=counts.read)}
        finish.succeed(claim, counts=counts, measures=measures, template_id=None, warnings=(), seconds=0.25)


@pytest.mark.parametrize(
    ("counts", "item_state", "file_state"),
    [
        (Counts(read=3, inserted=3), ItemState.COMPLETED, FileState.INGESTED),
        (Counts(read=3, unchanged=3), ItemState.COMPLETED, FileState.INGESTED),
        (Counts(), ItemState.COMPLETED, FileState.INGESTED),
        (Counts(read=3, inserted=2, quarantined=1), ItemState.PARTIAL, FileState.PARTIAL),
        (Counts(read=3, quarantined=2, totals=1), ItemState.PARTIAL, FileState.QUARANTINED),
    ],
)
def test_the_counts_decide_how_item_and_file_stand(
    bell: Bell, counts: Counts, item_state: str, file_state: str
) -> None:
    claim = _claimed()
    _succeed(claim, counts)
    file = CatalogFile.objects.get(pk=claim.file_id)
    item = file.items.get()
    assert (item.state, file.state, file.rows) == (item_state, file_state, counts.as_dict())
    assert (item.rows_read, item.rows_quarantined, item.duration_ms) == (counts.read, counts.quarantined, 250)
    assert from_document(item.measured) == {None: Measure(rows=counts.read)}
    assert item.lease_token is None
    assert file.synced_at is not None


def test_who_lost_the_lease_writes_nothing(bell: Bell) -> None:
    claim = _claimed()
    CatalogFile.objects.get(pk=claim.file_id).items.update(lease_token=uuid.uuid4())
    with pytest.raises(FencedOut):
        _succeed(claim, Counts(read=1, inserted=1))
    file = CatalogFile.objects.get(pk=claim.file_id)
    assert (file.account, file.state, file.items.get().state) == ("", FileState.QUEUED, ItemState.PROCESSING)
    assert not finish.fail(claim, error={"code": "X"}, file_state=FileState.FAILED, seconds=0)
    assert not finish.put_back(claim, error={}, seconds_until_next=1)
    assert file.items.get().state == ItemState.PROCESSING


def test_a_file_replaced_meanwhile_is_not_marked_as_synced(bell: Bell) -> None:
    claim = _claimed()
    CatalogFile.objects.filter(pk=claim.file_id).update(content_sha256="f" * 64, state=FileState.PENDING)
    with pytest.raises(FileChanged):
        _succeed(claim, Counts(read=1, inserted=1))
    file = CatalogFile.objects.get(pk=claim.file_id)
    assert (file.account, file.state) == ("", FileState.PENDING)
    finish.fail(claim, error={"code": "FILE_CHANGED"}, file_state=FileState.FAILED, seconds=0)
    file.refresh_from_db()
    assert (file.state, file.last_error, file.items.get().state) == (FileState.PENDING, {}, ItemState.FAILED)
