"""An independent model of the facts: dictionaries, and what each operation has to make of them."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tests.model_of_amounts import Facts, Key, Known, moves, others_of
from tests.model_of_rows import (
    Cell,
    Export,
    Identity,
    Layout,
    Line,
    Place,
    amounts_once,
    has_all_of,
    later,
    numbered,
    read,
    said,
    texts_under,
    typed,
)


@dataclass(frozen=True)
class Waiting:
    """A row that waits for a decision, with what a person has corrected, and the columns that are still bad.

    ``counted``: the last sync of its file counts it as quarantined; a remap has put the others there.
    """

    line: Line
    bad: frozenset[int]
    corrections: Mapping[int, str] = field(default_factory=dict)
    counted: bool = True

    @property
    def cells_now(self) -> tuple[str, ...]:
        """The row with its corrections."""
        given = {at: Cell(text).clean for at, text in self.corrections.items()}
        return tuple(given.get(at, text) for at, text in enumerate(self.line.raw))


@dataclass
class Paper:
    """What is remembered of one file: its books, its rows in quarantine, and what was decided on them.

    ``decided`` holds a released row as it was loaded, and None for a discarded one. ``brought`` says which row of the
    sheet has the last word on a fact.
    """

    export: Export
    counts: Counter[str] = field(default_factory=Counter)
    undecided: dict[int, Waiting] = field(default_factory=dict)
    decided: dict[Place, Line | None] = field(default_factory=dict)
    brought: dict[Key, int] = field(default_factory=dict)
    confirmed: set[Key] = field(default_factory=set)

    @property
    def released(self) -> dict[Place, Line]:
        """The rows that were released, as they were loaded."""
        return {place: line for place, line in self.decided.items() if line is not None}


class Model:
    """The facts that the tables have to hold after every operation so far."""

    def __init__(self) -> None:
        self.facts: Facts = {}
        self.papers: dict[str, Paper] = {}
        self.fed: dict[str, set[str]] = defaultdict(set)  # by file: what any template has fed by which it was read

    def undecided(self, file: str) -> dict[int, Waiting]:
        """The rows of a file that wait for a decision, by their number in the sheet."""
        return self.papers[file].undecided if file in self.papers else {}

    def amounts_that_stand_twice(self, layouts: Mapping[str, Layout]) -> set[tuple[Identity, str]]:
        """Orders and their amounts that stand on several lines."""
        carriers: dict[tuple[Identity, str], set[Key]] = defaultdict(set)
        for key, known in self.facts.items():
            for name in known.carries(layouts[key[0]]):
                carriers[(key[0], *known.line.order), name].add(key)
        return {of for of, keys in carriers.items() if len(keys) > 1}

    def sync(self, export: Export, layout: Layout) -> Counter[str]:
        """Take an export in and give its books: newer rows win, a repeated one confirms, a blank order amount stays.

        A released row is taken as it was corrected, a discarded one is left out; of several rows with one identity the
        last one of the sheet counts.
        """
        paper = self.papers.setdefault(export.file, Paper(export))
        self.fed[export.file] |= {str(told.name) for told in layout.known}
        sheet, totals = read(export, layout)
        discarded = {place for place, line in paper.decided.items() if line is None}
        around = {line.place: line for line in sheet}
        released = {
            place: (line, _again(line, export, layout, around=around.get(place)))
            for place, line in paper.released.items()
        }
        lines = list(numbered(sheet, released, discarded, layout))
        kept = [line for line in lines if line.place not in discarded]
        kept = list(amounts_once(kept, released, layout))
        waiting = {line.row: self._refused(line, paper, around[line.place]) for line in kept if line.bad}
        good = [line for line in kept if not line.bad]
        last = {(export.layout, line.identity): line.row for line in good}
        trusted = [line for line in good if last[export.layout, line.identity] == line.row]
        counts = Counter(read=len(lines) + totals, totals=totals, duplicates=len(good) - len(trusted))
        counts["quarantined"] = len(waiting) + len(lines) - len(kept)
        counts.update(Counter(self._load(trusted, paper, export, layout, anew=True).values()))
        paper.export, paper.undecided, paper.brought, paper.counts = export, waiting, last, counts.copy()
        return counts

    def discard(self, file: str, row: int) -> None:
        """Leave a row out for good."""
        paper = self.papers[file]
        paper.decided[paper.undecided.pop(row).line.place] = None

    def release(
        self, export: Export, layout: Layout, corrections: Mapping[int, Mapping[int, str]]
    ) -> dict[int, str | None]:
        """Load rows of the quarantine with corrected cells, all at once.

        Says of each by its number in the sheet what became of it, None where it stays.
        """
        paper = self.papers[export.file]
        lines, outcomes = [], dict[int, str | None]()
        for row in sorted(corrections):
            waiting = paper.undecided[row]
            said = {**waiting.corrections, **corrections[row]}
            line = _corrected(waiting.line, said, export, layout)
            paper.undecided[row] = replace(waiting, corrections=said, bad=line.bad)
            outcomes[row] = None
            lines += [] if line.bad else [line]
        lines = self._numbered_among_others(lines, paper, layout)
        self._leave_old_keys(lines, paper, export, layout)
        lines = list(self._without_amounts_of_others(lines, paper, export, layout))
        last = {(export.layout, line.identity): line.row for line in lines}
        last = {key: row for key, row in last.items() if paper.brought.get(key, row) <= row}
        loaded = [line for line in lines if last.get((export.layout, line.identity)) == line.row]
        found = self._load(loaded, paper, export, layout, anew=False)
        for line in lines:
            repeats = paper.brought.get((export.layout, line.identity), line.row) != line.row
            outcomes[line.row] = "duplicates" if repeats else found.get(line.row, "duplicates")
        paper.brought |= last
        for line in lines:
            waiting = paper.undecided.pop(line.row)
            paper.decided[line.place] = line
            self._move(paper, waiting, str(outcomes[line.row]))
        return outcomes

    def meets_a_row_that_left_no_trace(
        self, export: Export, layout: Layout, corrections: Mapping[int, Mapping[int, str]]
    ) -> bool:
        """Whether a row would be released over another one of its file that is neither stored nor confirmed by it."""
        paper = self.papers[export.file]
        lines = [
            _corrected(paper.undecided[row].line, {**paper.undecided[row].corrections, **given}, export, layout)
            for row, given in corrections.items()
        ]
        met = paper.brought.keys() & {(export.layout, line.identity) for line in lines} - paper.confirmed
        return any(key not in self.facts or self.facts[key].last != export.file for key in met)

    def delete(self, file: str, *, gone: Collection[str] = ()) -> None:
        """Forget a file with the rows that it wrote last, and all that was said and decided about its rows.

        Rows that a newer file has confirmed become that file's, unless it is among those that are ``gone``.
        """
        self.papers.pop(file, None)
        for key, known in list(self.facts.items()):
            if known.last != file:
                continue
            confirming = [paper.export for paper in self.papers.values() if key in paper.confirmed]
            heirs = [one for one in confirming if one.file not in gone and one.collected > known.collected]
            if heirs:
                heir = max(heirs, key=lambda one: (one.collected, int(one.file)))
                self.facts[key] = replace(known, export=heir, last=heir.file)
            else:
                del self.facts[key]

    def remap(
        self, files: Collection[str], name: str, layout: Layout, shown: Collection[tuple[str, int, tuple[str, ...]]]
    ) -> None:
        """Type the facts that these files wrote last again; one that cannot be read stays, and waits for a decision.

        Two contents of a file may both have facts of one row of the sheet: of two that cannot be read the one that is
        ``shown`` waits.
        """
        for file in files:
            self.fed[file] |= {str(told.name) for told in layout.known}
        for key, known in sorted(self.facts.items(), key=lambda fact: (fact[1].last, fact[1].line.row, fact[1].line.raw)
                                 not in shown):  # fmt: skip
            paper = self.papers.get(known.last)
            if key[0] != name or known.last not in files or paper is None:
                continue
            if paper.export.shop not in ("", key[1][0]):  # the file is of another shop now
                continue
            line = replace(_again(known.line, known.export, layout), identity=key[1])
            waiting = paper.undecided.get(line.row)
            same = waiting is not None and waiting.cells_now == line.raw and has_all_of(waiting.line, line, layout)
            if line.bad:
                if waiting is None and paper.decided.get(line.place, line) is not None:
                    paper.undecided[line.row] = Waiting(line, line.bad, counted=False)
                elif waiting is not None and same:
                    paper.undecided[line.row] = replace(waiting, bad=line.bad)
                continue
            outcome = "unchanged" if line.content == known.line.content else "updated"
            unfed = known.values.keys() if known.first == known.last else self.fed[known.last]
            typed_again = _written_over(known, line, unfed, layout)
            self.facts[key] = replace(typed_again, values={**typed_again.values, **dict.fromkeys(known.elsewhere)})
            if waiting is not None and same:  # an earlier version could not read the stored row
                del paper.undecided[line.row]
                paper.decided[line.place] = line
                self._move(paper, waiting, outcome)

    def _refused(self, line: Line, paper: Paper, sheet: Line) -> Waiting:
        """A row that a sync cannot trust waits as the ``sheet`` has it, with what was corrected in it before."""
        cells = enumerate(zip(line.cells, sheet.raw, strict=True))
        corrections: Mapping[int, str] = {at: cell.text for at, (cell, was) in cells if cell.clean != was}
        before = paper.undecided.get(line.row)
        if before is not None and before.line.raw == sheet.raw:
            corrections = before.corrections or corrections
        return Waiting(replace(line, cells=sheet.cells), line.bad, corrections)

    def _move(self, paper: Paper, waiting: Waiting, outcome: str) -> None:
        if waiting.counted:
            paper.counts["quarantined"] -= 1
            paper.counts[outcome] += 1

    def _load(self, lines: list[Line], paper: Paper, export: Export, layout: Layout, *, anew: bool) -> dict[int, str]:
        """Load lines that all are of different facts; what became of each. ``anew``: the file says nothing else."""
        keyed = {(export.layout, line.identity): line for line in lines}
        outcomes = {key: self._met(key, line, export) for key, line in keyed.items()}
        brought = {key: line for key, line in keyed.items() if outcomes[key] != "stale"}
        written = {key: line for key, line in brought.items() if outcomes[key] in ("inserted", "updated")}
        newer = {key: self._is_newer(key, known, export) for key, known in self.facts.items()}
        moved = moves(self.facts, written, brought, export, layout, newer)
        for key, line in written.items():
            if outcomes[key] == "updated" and self.facts[key].line.content == line.content:
                lacking = said(line, layout) - self.facts[key].carries(layout)
                outcomes[key] = "unchanged" if lacking <= moved.elsewhere[key] else "updated"
        for key, names in moved.leaving.items():
            self.facts[key] = self.facts[key].without(names, its_own=key not in brought)
        paper.confirmed = set() if anew else paper.confirmed
        for key, line in brought.items():
            if outcomes[key] == "unchanged":
                paper.confirmed |= {key} if self.facts[key].collected < export.collected else set()
                continue
            others = (other for other in brought.values() if other.order == line.order)
            of_order = {name for other in others for name in said(other, layout)}
            self._write(key, line, export, layout, moved.elsewhere[key], of_order)
        paper.export = export
        return {keyed[key].row: outcome for key, outcome in outcomes.items()}

    def _met(self, key: Key, line: Line, export: Export) -> str:
        """What a line is to what is known."""
        known = self.facts.get(key)
        if known is None:
            return "inserted"
        if known.line.content == line.content and not known.gave_up:
            return "unchanged"
        return "stale" if self._is_newer(key, known, export) else "updated"

    def _is_newer(self, key: Key, known: Known, export: Export) -> bool:
        return export.collected < max(known.collected, self._confirmed_at(key, export.file))

    def _write(
        self, key: Key, line: Line, export: Export, layout: Layout, elsewhere: set[str], of_order: set[str]
    ) -> None:
        """Make a line a fact; ``elsewhere`` are amounts that it leaves to others, ``of_order`` what its order says."""
        known = self.facts.get(key)
        if known is None:
            known = Known(line, line.values, export, export.file, export.file, line.row)
        else:
            unfed = self.fed[export.file] if known.last == export.file else ()
            known = replace(_written_over(known, line, unfed, layout), export=export, last=export.file)
            moved = of_order - said(line, layout)
            known = replace(known, values={**known.values, **dict.fromkeys(moved)})
        known = replace(known, elsewhere=line.elsewhere, gave_up=False)
        self.facts[key] = known.without(elsewhere)

    def _confirmed_at(self, key: Key, file: str) -> datetime:
        others = (paper for other, paper in self.papers.items() if other != file and key in paper.confirmed)
        return max((paper.export.collected for paper in others), default=datetime.min.replace(tzinfo=UTC))

    def _numbered_among_others(self, lines: list[Line], paper: Paper, layout: Layout) -> list[Line]:
        """A line's own number; after a correction the smallest that no line of the file's content has or waits for."""
        if not layout.ordinal:
            return lines
        waiting = {row: found.line.identity for row, found in paper.undecided.items()}
        taken = {*waiting.values(), *(line.identity for line in paper.released.values())}
        taken |= {key[1] for key in (*paper.confirmed, *paper.brought)}
        found = []
        for line in lines:
            identity = waiting[line.row]
            if identity[:-1] != line.identity:
                free = ((*line.identity, number) for number in itertools.count(1))
                identity = next(candidate for candidate in free if candidate not in taken)
                taken.add(identity)
            found.append(replace(line, identity=identity))
        return found

    def _leave_old_keys(self, lines: Iterable[Line], paper: Paper, export: Export, layout: Layout) -> None:
        """Forget the facts that rows were which are others now: a row of a file is one fact."""
        places: dict[Identity, set[int]] = defaultdict(set)
        for place, line in paper.released.items():
            places[line.identity].add(place[0])
        for line in lines:
            before = self._standing(paper.undecided[line.row].line, export, layout)
            if layout.ordinal and any(identity[:-1] == line.identity[:-1] for _name, identity in before):
                continue
            for key in before:
                if key[1] != line.identity and places[key[1]] <= {line.row}:
                    del self.facts[key]

    def _standing(self, line: Line, export: Export, layout: Layout) -> set[Key]:
        """The facts of a row: of the same cells, with the same texts filled down, of a file that was described so."""
        return {
            key
            for key, known in self.facts.items()
            if (known.last, known.line.row, known.line.raw) == (export.file, line.row, line.raw)
            and has_all_of(line, known.line, layout)
            and export.shop in ("", key[1][0])
            and (
                layout.dated or all(known.values[name] == line.values[name] for name in ("period_start", "period_end"))
            )
        }

    def _without_amounts_of_others(
        self, lines: Iterable[Line], paper: Paper, export: Export, layout: Layout
    ) -> Iterator[Line]:
        """The lines without what other lines of the file have of their orders: it has each amount once."""
        brought: dict[Identity, set[str]] = defaultdict(set)
        for line in lines:
            others = others_of(self.facts, (export.layout, line.identity), line)
            own = [known for key, known in others.items() if known.last == export.file or key in paper.confirmed]
            elsewhere = brought[line.order].union(*(known.carries(layout) for known in own))
            if line.later or (elsewhere and layout.totals_on_every_line):
                yield later(line, layout)
                continue
            brought[line.order] |= said(line, layout)
            yield replace(line, values={**line.values, **dict.fromkeys(elsewhere)}, elsewhere=frozenset(elsewhere))


def _again(line: Line, export: Export, layout: Layout, *, around: Line | None = None) -> Line:
    """A line that was loaded before as another description or layout reads it, not numbered.

    Cells that were left blank get what they have ``around`` them in the sheet now, if that is of the same order still.
    """
    texts = texts_under(line, layout)
    if around is not None and around.texts.get("order_id") == texts.get("order_id") is not None:
        blank = [told.name for told in layout.known if told.shared and texts[str(told.name)] is None]
        wrote = {
            told.name for told, now, sheet in zip(layout.fields, line.raw, line.place[1], strict=True) if now != sheet
        }
        texts |= {str(name): around.texts.get(str(name)) for name in blank if name not in wrote}
    found = typed(line.row, line.cells, texts, export, layout)
    found = replace(found, later=line.later, sheet=line.sheet)
    return later(found, layout) if line.later else found


def _corrected(line: Line, corrections: Mapping[int, str], export: Export, layout: Layout) -> Line:
    """A line with corrected cells, not yet numbered; in another order nobody knows who comes first."""
    cells = tuple(Cell(corrections[at]) if at in corrections else cell for at, cell in enumerate(line.cells))
    texts = texts_under(line, layout) | {
        str(told.name): cells[at].said for at, told in enumerate(layout.fields) if told.name and at in corrections
    }
    moved = any(layout.fields[at].name in ("order_id", "shop_label") for at in corrections)
    found = typed(line.row, cells, texts, export, layout)
    return replace(found, later=line.later and not moved, sheet=line.place[1])


def _written_over(known: Known, line: Line, unfed: Collection[str], layout: Layout) -> Known:
    """A fact with what a line of a file says of it now.

    Amounts of its order that the line leaves blank stay, and so do fields that the line's template does not feed, but
    for those of which that is known to be no more than an earlier template's word: ``unfed``.
    """
    kept = {name for name in layout.of_order if line.values[name] is None}
    kept |= known.values.keys() - line.values.keys() - set(unfed)
    return replace(known, line=line, values={**line.values, **{name: known.values.get(name) for name in kept}})
