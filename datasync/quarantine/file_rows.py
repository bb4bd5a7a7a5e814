"""The rows of a file by their keys, from the file itself: for the few questions that what is stored leaves open."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from django.db.models import Q

from datasync.at_hand import asking_storage
from datasync.choices import QUARANTINE_UNDECIDED
from datasync.exceptions import SyncError, TransientError
from datasync.ingest.hashes import halves
from datasync.ingest.load.decided import earlier_rows
from datasync.ingest.plan import Plan
from datasync.ingest.prepare import Preparer
from datasync.ingest.read import reader
from datasync.mapping.services import SyncOptions, header_set_id, prepare_read
from datasync.models import CatalogFile, QuarantinedRow

logger = logging.getLogger(__name__)


class FileRows:
    """The rows of one content of a file that can be trusted: read when they are first asked for, 20 bytes a row.

    Rows that wait in quarantine are none of them, even if the plan could read them by now: they are not let in yet.
    """

    def __init__(self, file: CatalogFile) -> None:
        self._file = file
        self._known: dict[int, pl.DataFrame | None] = {}  # by header

    def rows_of(self, keys: Sequence[str], plan: Plan) -> dict[str, int] | None:
        """Those of the keys that rows of the file have under the plan, each with the last of its sheet rows.

        None where the file is not there any more, has other bytes or another header, or cannot be read. Raises
        ``NotAtHand`` for a file that lies elsewhere, which is not fetched here, where rows are held; and
        ``StorageAway`` or ``DiskFull``, for it could tell at another time.
        """
        if plan.header_set_id not in self._known:
            self._known[plan.header_set_id] = self._read(plan)
        known = self._known[plan.header_set_id]
        if known is None:
            return None
        asked = pl.DataFrame({"key": keys}, schema={"key": pl.String})
        found = asked.hstack(halves(asked["key"])).join(known, on=["high", "low"], how="inner")
        return dict(found.group_by("key").agg(pl.col("sheet_row").max()).iter_rows())

    def _read(self, plan: Plan) -> pl.DataFrame | None:
        parts: list[pl.DataFrame] = []
        waiting = self._waiting()
        try:
            with asking_storage():
                request = prepare_read(self._file, SyncOptions(only_with_template=False))
                if _sha256(request.path) != self._file.content_sha256:
                    return None
                with reader().open(request) as sheet:
                    if header_set_id(sheet.info.header, keep=False) != plan.header_set_id:
                        return None
                    prepared = Preparer(plan, earlier_rows(plan).decided).parts(sheet)
                    parts.extend(halves(part.rows["record_key"]).hstack([part.rows["sheet_row"]]) for part in prepared)
        except TransientError:
            raise
        except SyncError as error:
            logger.info("File %s cannot be asked for its rows: %s", self._file.pk, error)
            return None
        return pl.concat(parts).filter(~pl.col("sheet_row").is_in(waiting.implode())) if parts else None

    def _waiting(self) -> pl.Series:
        """The sheet rows of this content that are still undecided."""
        of_content = Q(item=None) | Q(item__file_sha256=self._file.content_sha256)
        rows = QuarantinedRow.objects.filter(of_content, file_id=self._file.pk, state__in=QUARANTINE_UNDECIDED)
        return pl.Series(values=list(rows.values_list("sheet_row", flat=True)), dtype=pl.UInt32)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
