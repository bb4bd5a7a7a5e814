"""Which number a released line gets among the equal lines of its file.

A line that the sync has numbered keeps its number: a fact that stands there already is this very line, of an earlier
content of the file or of another file. A line that became equal to others by a correction gets the smallest number that
no other line of the file's content has, or has kept for it: a release never overwrites another line of its file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import polars as pl

from datasync.choices import QUARANTINE_UNDECIDED
from datasync.ingest.plan import Plan
from datasync.ingest.prepare.context import line_of
from datasync.ingest.prepare.identity import IDENTITY, RecordKeys
from datasync.models import QuarantinedRow
from datasync.quarantine.content import Content
from datasync.quarantine.contexts import Line


class Ordinals:
    """The numbers of one file's lines, asked batch by batch while the file has this content."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self._kept_for: dict[str, set[int]] | None = None
        self._used: dict[str, dict[int, int]] = defaultdict(dict)
        self._next: dict[str, int] = {}

    def of(self, rows: pl.DataFrame, lines: Sequence[Line | None], plan: Plan) -> pl.Series:
        """The ordinal of each of ``rows``, which have ``identity``; ``lines`` are what the sync has said of them.

        Two rows get the same one only where they are one row of the sheet, in two contents of the file.
        """
        identities, sheet_rows = rows[IDENTITY].to_list(), rows["sheet_row"].to_list()
        given: dict[int, int] = {}
        for at, line in enumerate(lines):
            stays = line is not None and line[1] == identities[at]
            if line and stays and self._used[line[1]].setdefault(line[0], sheet_rows[at]) == sheet_rows[at]:
                given[at] = line[0]
        keys = _keys(rows, given, plan)
        released = self.content.released(list(keys.values()))
        for at, key in keys.items():
            if key in released and released[key].row != sheet_rows[at]:
                del given[at]
        self._probe(rows, [at for at in range(len(rows)) if at not in given], given, plan)
        return pl.Series("line_ordinal", [given[at] for at in range(len(rows))], dtype=pl.Int64)

    def _probe(self, rows: pl.DataFrame, waiting: list[int], given: dict[int, int], plan: Plan) -> None:
        """Give each waiting line the smallest free ordinal of its identity; each round asks for twice as many."""
        lines: dict[str, list[int]] = defaultdict(list)
        for at, identity in zip(waiting, rows[IDENTITY].gather(waiting).to_list(), strict=True):
            lines[identity].append(at)
        times = 1
        while lines:
            asked = [
                (identity, ordinal)
                for identity, ats in lines.items()
                for ordinal in self._candidates(identity, len(ats) * times)
            ]
            frame = rows[[lines[identity][0] for identity, _ordinal in asked]]
            keys = RecordKeys(plan).renumbered(frame, pl.Series([ordinal for _i, ordinal in asked], dtype=pl.Int64))
            taken = self.content.taken(keys["record_key"].to_list(), plan)
            for (identity, ordinal), key in zip(asked, keys["record_key"].to_list(), strict=True):
                if not lines[identity]:
                    continue
                self._next[identity] = ordinal + 1
                if key not in taken:
                    at = lines[identity].pop(0)
                    given[at] = ordinal
                    self._used[identity][ordinal] = rows["sheet_row"][at]
            lines = defaultdict(list, {identity: ats for identity, ats in lines.items() if ats})
            times *= 2

    def _candidates(self, identity: str, count: int) -> list[int]:
        """The next ordinals that are worth asking for: none that is given, and none that is kept for another line."""
        kept_for = self._kept().get(identity, set()) | self._used[identity].keys()
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
            waiting = QuarantinedRow.objects.filter(self.content.rows, state__in=QUARANTINE_UNDECIDED)
            for context in waiting.values_list("context", flat=True).iterator(chunk_size=5_000):
                if line := line_of(context):
                    self._kept_for[line[1]].add(line[0])
        return self._kept_for


def _keys(rows: pl.DataFrame, given: Mapping[int, int], plan: Plan) -> dict[int, str]:
    """The keys of the lines that have an ordinal already, by their position."""
    if not given:
        return {}
    ordinals = pl.Series(list(given.values()), dtype=pl.Int64)
    keys: list[str] = RecordKeys(plan).renumbered(rows[list(given)], ordinals)["record_key"].to_list()
    return dict(zip(given, keys, strict=True))
