"""An independent model of the facts: dictionaries, and what each operation has to make of them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tests.model_of_rows import (
    Cell,
    Export,
    Identity,
    Layout,
    Line,
    Place,
    amounts_once,
    later,
    read,
    texts_under,
    typed,
)

Key = tuple[str, Identity]


@dataclass(frozen=True)
class Known:
    """A fact as the tables have to hold it: the line that it was last, and the files that wrote it first and last.

    ``values`` are the line's, with amounts of the order that the line left blank and an older one had told.
    """

    line: Line
    values: Mapping[str, Any]
    collected: datetime
    first: str
    last: str
    first_row: int


@dataclass
class Books:
    """What has to become of the rows of one sync."""

    counts: Counter[str] = field(default_factory=Counter)
    quarantined: dict[int, Line] = field(default_factory=dict)


class Model:
    """The facts that the tables have to hold after every operation so far."""

    def __init__(self) -> None:
        self.facts: dict[Key, Known] = {}
        self.undecided: dict[str, dict[int, Line]] = {}
        self._exports: dict[str, Export] = {}
        self._confirmed: dict[str, tuple[datetime, set[Key]]] = {}
        self._released: dict[str, dict[Place, Key]] = {}
        self._discarded: dict[str, set[Place]] = {}

    def sync(self, export: Export, layout: Layout) -> Books:
        """Take an export in: newer rows win, a repeated one confirms, a blank order amount erases nothing.

        Rows that were decided on are left alone; of several rows with one identity the last one of the sheet counts.
        """
        file = export.file
        self._exports[file] = export
        every, totals = read(export, layout)
        released = self._released.get(file, {})
        held = {line.place for line in every} & (released.keys() | self._discarded.get(file, set()))
        lines = [line for line in every if line.place not in held]
        books = Books(Counter(read=len(every) + totals, totals=totals))
        books.counts["unchanged"] = len(held & released.keys())
        self.undecided[file] = books.quarantined = {line.row: line for line in lines if line.bad}
        books.counts["quarantined"] = len(books.quarantined) + len(held - released.keys())
        good = list(amounts_once([line for line in lines if not line.bad], layout))
        last = {released[place]: place[0] for place in held & released.keys()}
        last |= {(export.layout, line.identity): line.row for line in good
                 if line.row > last.get((export.layout, line.identity), 0)}  # fmt: skip
        trusted = [line for line in good if last[export.layout, line.identity] == line.row]
        books.counts["duplicates"] = len(good) - len(trusted)
        confirmed = set()
        for line in trusted:
            key = (export.layout, line.identity)
            outcome = self._take(line, trusted, export, layout)
            books.counts[outcome] += 1
            if outcome == "unchanged" and self.facts[key].collected < export.collected:
                confirmed.add(key)
        if confirmed:
            self._confirmed[file] = (export.collected, confirmed)
        return books

    def discard(self, export: Export, row: int) -> None:
        """Leave a row out for good."""
        line = self.undecided[export.file].pop(row)
        self._discarded.setdefault(export.file, set()).add(line.place)

    def release(self, export: Export, layout: Layout, row: int, corrections: Mapping[int, str]) -> str | None:
        """Load a row of the quarantine with corrected cells; says what became of it, None where it stays."""
        found = self.undecided[export.file][row]
        cells = tuple(Cell(corrections[at]) if at in corrections else cell for at, cell in enumerate(found.cells))
        texts = dict(found.texts) | {
            str(told.name): cells[at].said for at, told in enumerate(layout.fields) if told.name and at in corrections
        }
        line = typed(row, cells, texts, export, layout)
        if line.bad:
            return None
        if layout.ordinal:
            line = replace(line, identity=self._numbered(line.identity, found, export))
        line = self._without_amounts_of_others(line, export, layout)
        del self.undecided[export.file][row]
        key = (export.layout, line.identity)
        self._released.setdefault(export.file, {})[found.place] = key
        known = self.facts.get(key)
        own = known is not None and known.last == export.file and known.line.row != row
        if own and known is not None and known.line.row > row:
            return "duplicates"
        outcome = self._take(line, [line], export, layout)
        if outcome == "unchanged" and self.facts[key].collected < export.collected:
            self._confirmed.setdefault(export.file, (export.collected, set()))[1].add(key)
        return "duplicates" if own else outcome

    def delete(self, file: str) -> None:
        """Forget a file with the rows that it wrote last, and all that was said and decided about its rows."""
        self.facts = {key: known for key, known in self.facts.items() if known.last != file}
        for told in (self.undecided, self._confirmed, self._released, self._discarded):
            told.pop(file, None)

    def remap(self, files: Collection[str], name: str, layout: Layout) -> None:
        """Type the facts that these files wrote last again; one that cannot be read stays, and waits for a decision."""
        for key, known in self.facts.items():
            if key[0] != name or known.last not in files:
                continue
            line = typed(
                known.line.row, known.line.cells, texts_under(known.line, layout), self._exports[known.last], layout
            )
            line = replace(line, identity=key[1])
            line = later(line, layout) if known.line.later else line
            if line.bad:
                self.undecided.setdefault(known.last, {})[line.row] = line
                continue
            self.facts[key] = replace(known, line=line, values=_keeping_amounts(line, known, layout))
            waiting = self.undecided.get(known.last, {}).get(line.row)
            if waiting is not None and waiting.raw == line.raw:  # an earlier version could not read the stored row
                del self.undecided[known.last][line.row]

    def _numbered(self, identity: Identity, found: Line, export: Export) -> Identity:
        """The line's own number; after a correction the smallest that no line of the file has or waits for."""
        if found.identity[:-1] == identity:
            return found.identity
        waiting = {line.identity for line in self.undecided[export.file].values()}
        released = {key[1] for key in self._released.get(export.file, {}).values()}
        confirmed = {key[1] for key in self._confirmed.get(export.file, (None, set()))[1]}
        stored = {key[1] for key, known in self.facts.items()
                  if key[0] == export.layout and export.file in (known.first, known.last)}  # fmt: skip
        taken = waiting | released | confirmed | stored
        return next((*identity, number) for number in itertools.count(1) if (*identity, number) not in taken)

    def _without_amounts_of_others(self, line: Line, export: Export, layout: Layout) -> Line:
        """The line without what other stored lines of its order have: an order has each amount once."""
        names = [str(told.name) for told in layout.known if told.of_order]
        elsewhere = {
            name
            for key, known in self.facts.items()
            for name in names
            if key[0] == export.layout and key[1] != line.identity and key[1][:2] == line.identity[:2]
            and known.values[name] is not None
        }  # fmt: skip
        if elsewhere and layout.totals_on_every_line:
            return later(line, layout)
        return replace(line, values={**line.values, **dict.fromkeys(elsewhere)})

    def _take(self, line: Line, lines: Sequence[Line], export: Export, layout: Layout) -> str:
        key = (export.layout, line.identity)
        known = self.facts.get(key)
        if known is None:
            self.facts[key] = Known(line, line.values, export.collected, export.file, export.file, line.row)
            return "inserted"
        if known.line.content == line.content:
            return "unchanged"
        if export.collected < max(known.collected, self._confirmed_at(key, export.file)):
            return "stale"
        values = _keeping_amounts(line, known, layout, lines)
        self.facts[key] = replace(known, line=line, values=values, collected=export.collected, last=export.file)
        return "updated"

    def _confirmed_at(self, key: Key, file: str) -> datetime:
        times = [at for other, (at, keys) in self._confirmed.items() if key in keys and other != file]
        return max(times, default=datetime.min.replace(tzinfo=UTC))


def _keeping_amounts(line: Line, known: Known, layout: Layout, lines: Sequence[Line] = ()) -> dict[str, Any]:
    """The line's values, and amounts of its order that it leaves blank, unless another of ``lines`` has them now."""
    values = dict(line.values)
    for told in layout.known:
        name = str(told.name)
        if told.of_order and values[name] is None:
            moved = any(
                other.values["order_id"] == line.values["order_id"] and other.values[name] is not None
                for other in lines
            )
            values[name] = None if moved else known.values.get(name)
    return values
