"""A claimed file on its way: verify, open, bind, ingest, and a recorded end whatever happens."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from functools import partial

from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Exists, OuterRef

from datasync.at_hand import at_hand
from datasync.catalog.after import WAITING, state_after
from datasync.catalog.services import look_again, verify_unchanged
from datasync.choices import TaskKind
from datasync.exceptions import Cancelled, FencedOut, ReaderTimeout, SyncError, TransientError
from datasync.ingest.pipeline import IngestResult, ingest
from datasync.ingest.read import reader
from datasync.mapping import services as mapping
from datasync.models import CatalogFile, ConfirmedRows, SyncProgressTask
from datasync.runs import finish
from datasync.runs.claim import Claim, put_down
from datasync.runs.dispatch import give_turn_later
from datasync.runs.errors import error_document
from datasync.runs.heartbeat import Stopped, Watch, heartbeat
from datasync.runs.remap.execute import retype
from datasync.runs.retry import POLICY, insist

logger = logging.getLogger(__name__)
SOFT_LIMIT_SECONDS: float = settings.SOFT_LIMIT_SECONDS
_OWN_SHARE = 0.9
"""A file that had so much of a message's time had its fair chance; the reader limits the reading of it besides."""


def execute(claim: Claim, task: SyncProgressTask) -> None:
    """Sync the claimed file and record its end. Only a database that is away lets an exception out.

    The files of a remap are not read: their stored rows are typed again.
    """
    if task.kind == TaskKind.REMAP:
        retype(claim, task)
        return
    started = time.monotonic()
    confirmed = Exists(ConfirmedRows.objects.filter(file=OuterRef("pk")))  # as it stays while the file is claimed
    files = CatalogFile.objects.select_related("shop").defer("profile").annotate(confirmed_before=confirmed)
    try:
        with heartbeat().watch(claim) as watch:
            file = files.get(pk=claim.file_id)
            with at_hand(file, between=watch.check):
                _sync(claim, task, file, watch, confirmed_before=file.confirmed_before, started=started)
    except Cancelled:
        insist(partial(finish.cancel, claim, seconds=time.monotonic() - started))
    except FencedOut:
        logger.warning("Item %s was taken over by another worker; its rows are rolled back here.", claim.item_id)
    except Stopped:
        insist(partial(put_down, claim, finish.put_back))
    except SoftTimeLimitExceeded:
        _record(claim, _out_of_time(time.monotonic() - started), started=started)
    except Exception as error:  # the boundary: whatever a file does, its item gets an end
        _record(claim, error, started=started)


def _sync(
    claim: Claim, task: SyncProgressTask, file: CatalogFile, watch: Watch, *, confirmed_before: bool, started: float
) -> None:
    """Load the file in one transaction, the last statements of which record its end."""
    verify_unchanged(file, claim.file_sha256)
    options = mapping.SyncOptions(
        only_with_template=task.only_with_template, use_template_header_row=task.use_template_header_row
    )
    if not file.format:
        look_again(file)
    request = mapping.prepare_read(file, options)
    watch.on_stop(reader().interrupt)
    with reader().open(request) as sheet:
        resolved = mapping.bind(file, sheet.info, options)

        def record(result: IngestResult) -> None:
            verify_unchanged(file, claim.file_sha256)  # again: it may have been replaced while it was being opened
            finish.succeed(
                claim,
                counts=result.counts,
                discarded=result.discarded,
                measures=result.measures,
                template_id=resolved.template_id,
                warnings=(*resolved.warnings, *result.warnings),
                seconds=time.monotonic() - started,
            )

        ingest(
            sheet=sheet,
            plan=replace(resolved.plan, confirmed_before=confirmed_before, session=claim.mark),
            item_id=claim.item_id,
            template_id=resolved.template_id,
            allow_quarantine=task.allow_quarantine,
            before_commit=record,
            on_progress=watch.report,
        )


def _record(claim: Claim, error: Exception, *, started: float) -> None:
    """Give the item the end that the error stands for."""
    seconds = time.monotonic() - started
    decision = POLICY.decide(error, attempt=claim.tries)
    if (pause := decision.again_in) is not None:
        logger.warning("Item %s is tried again in %.2f s: %s", claim.item_id, pause, error)
        told = error_document(decision.told)
        if insist(partial(finish.put_back, claim, error=told, seconds_until_next=pause)):
            give_turn_later(pause)
        return
    if not isinstance(error := decision.told, SyncError):
        logger.error("Item %s of file %s failed", claim.item_id, claim.file_id, exc_info=error)
    document, state = error_document(error), state_after(error)
    if type(error) not in WAITING:
        insist(partial(finish.fail, claim, error=document, file_state=state, seconds=seconds))
    elif insist(partial(finish.skip, claim, error=document, file_state=state, seconds=seconds)):
        _suggest(claim)


def _out_of_time(seconds: float) -> SyncError:
    """The limit is the message's: only a file that had nearly all of it is to blame, another is tried again."""
    own_fault = seconds >= SOFT_LIMIT_SECONDS * _OWN_SHARE
    return ReaderTimeout(limit=SOFT_LIMIT_SECONDS) if own_fault else TransientError()


def _suggest(claim: Claim) -> None:
    """Leave a suggested mapping with a skipped file, for a person to publish."""
    try:
        file = CatalogFile.objects.select_related("shop").get(pk=claim.file_id)
        if file.domain and not file.suggestion:
            mapping.suggest_for_file(file, save=True)
    except (SyncError, DatabaseError, InterfaceError) as error:
        logger.warning("No mapping could be suggested for file %s: %s", claim.file_id, error)
