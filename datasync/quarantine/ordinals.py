"""Which number a released line gets among the equal lines of its file.

A line that the sync has numbered keeps its number. One that became equal to other lines by a correction gets the
smallest that no line of the file has or has kept for it: a released row never overwrites another line of its file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import polars as pl
from django.db.models import Q

from datasync.choices import QUARANTINE_UNDECIDED, QuarantineState
from datasync.ingest.plan import Plan
from datasync.ingest.prepare.context import line_of
from datasync.ingest.prepare.identity import RecordKeys
from datasync.models import FACT_MODELS, QuarantinedRow
from datasync.quarantine.confirmed import confirmed_among

_Line = tuple[int, str]  # ordinal, hash of the identity


class Ordinals:
    """The numbers of one file's lines, asked batch by batch while the file is held."""

    def __init__(self, file_id: int) -> None:
        self._file_id = file_id
        self._kept_for: dict[str, set[int]] | None = None
        self._next: dict[str, int] = {}

    def of(self, rows: pl.DataFrame, lines: Sequence[_Line | None], plan: Plan) -> pl.Series:
        """The ordinal of each of ``rows``, which have ``identity``; ``lines`` are what the sync has said of them."""
        identities, sheet_rows = rows["identity"].to_list(), rows["sheet_row"].to_list()
        given: dict[int, int] = {
            at: line[0] for at, line in enumerate(lines) if line is not None and line[1] == identities[at]
        }
        owners = self._owners(_keys(rows, given, plan), plan)
        for at, key in list(zip(given, _keys(rows, given, plan), strict=True)):
            if owners.get(key, sheet_rows[at]) != sheet_rows[at]:
                del given[at]
        used: dict[str, set[int]] = defaultdict(set)
        for at, ordinal in given.items():
            used[identities[at]].add(ordinal)
        self._probe(rows, [at for at in range(len(rows)) if at not in given], given, used, plan)
        return pl.Series("line_ordinal", [given[at] for at in range(len(rows))], dtype=pl.Int64)

    def _probe(
        self, rows: pl.DataFrame, waiting: list[int], given: dict[int, int], used: dict[str, set[int]], plan: Plan
    ) -> None:
        """Give each waiting line the smallest free ordinal of its identity."""
        identities = rows["identity"].to_list()
        while waiting:
            lines: dict[str, list[int]] = defaultdict(list)
            for at in waiting:
                lines[identities[at]].append(at)
            asked = [
                (ats[0], ordinal)
                for identity, ats in lines.items()
                for ordinal in self._candidates(identity, len(ats), used[identity])
            ]
            frame = rows[[at for at, _ordinal in asked]]
            keys = RecordKeys(plan).renumbered(frame, pl.Series([ordinal for _at, ordinal in asked], dtype=pl.Int64))
            taken = self._taken(keys["record_key"].to_list(), plan)
            for (at, ordinal), key in zip(asked, keys["record_key"].to_list(), strict=True):
                identity = identities[at]
                if key not in taken and lines[identity]:
                    given[lines[identity].pop(0)] = ordinal
                    used[identity].add(ordinal)
            for identity, ordinal in ((identities[at], ordinal) for at, ordinal in asked):
                self._next[identity] = max(self._next.get(identity, 1), ordinal + 1)
            waiting = [at for ats in lines.values() for at in ats]

    def _candidates(self, identity: str, count: int, used: set[int]) -> list[int]:
        """The next ordinals that are worth asking for: as many as there are lines, none that is kept for another."""
        kept_for = self._kept().get(identity, set()) | used
        found: list[int] = []
        ordinal = self._next.get(identity, 1)
        while len(found) < count:
            if ordinal not in kept_for:
                found.append(ordinal)
            ordinal += 1
        return found

    def _kept(self) -> Mapping[str, set[int]]:
        """The ordinals of lines that are still in quarantine: read once for all batches, and only if a line probes."""
        if self._kept_for is None:
            self._kept_for = defaultdict(set)
            waiting = QuarantinedRow.objects.filter(file_id=self._file_id, state__in=QUARANTINE_UNDECIDED)
            for context in waiting.values_list("context", flat=True).iterator(chunk_size=5_000):
                if line := line_of(context):
                    self._kept_for[line[1]].add(line[0])
        return self._kept_for

    def _taken(self, keys: list[str], plan: Plan) -> set[str]:
        """Those of the keys that a line of this file has, or once had."""
        return set(self._owners(keys, plan)) | confirmed_among(keys, file_id=self._file_id)

    def _owners(self, keys: Iterable[str], plan: Plan) -> dict[str, int]:
        """Key → sheet row, for keys that lines of this file have: stored by it, or released."""
        wanted = list(keys)
        if not wanted:
            return {}
        mine = Q(file_first_id=self._file_id) | Q(file_last_id=self._file_id)
        facts = FACT_MODELS[plan.scope.domain]._default_manager.filter(mine, record_key__in=wanted)  # noqa: SLF001 - of whichever model
        owners: dict[str, int] = {}
        for key, last, row, first_row in facts.values_list(
            "record_key", "file_last_id", "sheet_row", "first_sheet_row"
        ):
            owner = row if last == self._file_id else first_row
            owners[key.hex] = owner if owner is not None else 0
        released = QuarantinedRow.objects.filter(
            file_id=self._file_id, state=QuarantineState.RELEASED, record_key__in=wanted
        )
        owners |= {key.hex: row for key, row in released.values_list("record_key", "sheet_row") if key is not None}
        return owners


def _keys(rows: pl.DataFrame, given: Mapping[int, int], plan: Plan) -> list[str]:
    """The keys of the lines that have an ordinal already, in the order of ``given``."""
    if not given:
        return []
    ordinals = pl.Series(list(given.values()), dtype=pl.Int64)
    keys: list[str] = RecordKeys(plan).renumbered(rows[list(given)], ordinals)["record_key"].to_list()
    return keys
