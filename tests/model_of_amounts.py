"""The amounts of whole orders in the model: which line of an order each of them stands on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.model_of_rows import Export, Identity, Layout, Line, said

Key = tuple[str, Identity]


@dataclass(frozen=True)
class Known:
    """A fact as the tables have to hold it: the line that it was last, and the files that wrote it first and last.

    ``values`` are the line's, with amounts of the order that the line left blank and an older one had told, and without
    those that stand ``elsewhere``. ``export`` is the last file as it was described then. A fact that ``gave_up`` an
    amount is looked at anew whenever a file brings its line.
    """

    line: Line
    values: Mapping[str, Any]
    export: Export
    first: str
    last: str
    first_row: int
    elsewhere: frozenset[str] = frozenset()
    gave_up: bool = False

    @property
    def collected(self) -> datetime:
        """When the line was true."""
        return self.export.collected

    def carries(self, layout: Layout) -> set[str]:
        """The amounts of its order that stand on it."""
        return {name for name in layout.of_order if self.values.get(name) is not None}

    def without(self, names: Collection[str], *, its_own: bool = True) -> Known:
        """The fact with amounts given up to another line; ``its_own``: its line may say them."""
        if not names:
            return self
        kept = replace(self, values={**self.values, **dict.fromkeys(names)})
        return replace(kept, elsewhere=self.elsewhere | set(names), gave_up=True) if its_own else kept


Facts = dict[Key, Known]


def others_of(facts: Facts, key: Key, line: Line) -> dict[Key, Known]:
    """The other stored lines of a line's order."""
    same = ((other, known) for other, known in facts.items() if other[0] == key[0] and other != key)
    return {other: known for other, known in same if known.line.order == line.order}


def has_orders_of_several_exports(facts: Facts, name: str) -> bool:
    """Whether the lines of any order of a layout were written last by different files, or contents of a file."""
    exports: dict[Identity, list[Export]] = defaultdict(list)
    for key, known in facts.items():
        if key[0] == name and known.export not in exports[known.line.order]:
            exports[known.line.order].append(known.export)
    return any(len(found) > 1 for found in exports.values())


@dataclass
class Moves:
    """Who gives an amount up where two lines have it: ``elsewhere`` new lines, ``leaving`` those that are stored."""

    elsewhere: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))
    leaving: dict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))


def moves(
    facts: Facts,
    written: Mapping[Key, Line],
    brought: Mapping[Key, Line],
    export: Export,
    layout: Layout,
    newer: Mapping[Key, bool],
) -> Moves:
    """Settle where the amounts of ``written`` lines stand; ``brought`` are all that the file says and is not stale.

    The newest export's placement wins; of two of one time the one that came last. What a file does not bring any more
    it does not say. Where one file says an amount on several lines it stands on all of them.
    """
    found = Moves()
    for key, line in written.items():
        moving: list[tuple[Key, set[str]]] = []
        again = key in facts and facts[key].line.content == line.content
        for other, known in others_of(facts, key, line).items():
            both = said(line, layout) & known.carries(layout)
            equal = known.collected == export.collected
            if other in brought:
                moving.append((other, both - said(brought[other], layout)))
            elif newer[other] or (known.last != export.file and equal and again):
                found.elsewhere[key] |= both
            else:
                moving.append((other, both))
        for other, names in moving:
            found.leaving[other] |= names - found.elsewhere[key]
    return found
