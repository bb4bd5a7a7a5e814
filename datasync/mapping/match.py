"""Find the template that fits a file's header best, and say in what the two differ."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from rapidfuzz import fuzz

from datasync.mapping.bind import Binding, bind
from datasync.mapping.headers import header_key
from datasync.mapping.readings import two_readings
from datasync.mapping.template import Family, Template, TemplateColumn
from datasync.mapping.values import Contradiction, contradictions, misread_values

MIN_COVERAGE = 0.5
"""The share of a template's mapped columns below which a header is not a drifted one but another export."""

MIN_FAMILY_SCORE = 0.6
_LIKELY_RENAMED = 75
_DECIDED_BY_FIT = 4
"""The leading parts of a rank that header and values decide."""

Rows = Sequence[Sequence[str | None]]


class Outcome(StrEnum):
    """How well a file's header fits, best first."""

    EXACT = "exact"  # nothing differs
    COMPATIBLE = "compatible"  # order, currency, brackets, white space or case
    NOTED = "noted"  # known rewording, columns added, optional columns gone
    BLOCKED = "blocked"  # a required or identity column is gone, or holds something else: HEADER_CHANGED
    NONE = "none"  # no template is about such a header

    @property
    def syncable(self) -> bool:
        """Whether the file may be synced with the template."""
        return self in {Outcome.EXACT, Outcome.COMPATIBLE, Outcome.NOTED}


@dataclass(frozen=True, slots=True)
class Match:
    """A file's header against the template that fits it best.

    ``binding`` gives the template's column for a position in the file. Headers stand as they are written: those of
    the file in ``added``, those of the template in ``missing`` and ``missing_required``, pairs (template, file) in
    ``renamed``, ``likely_renamed`` (not bound, only worth a look) and ``currency_changes``.
    """

    outcome: Outcome
    header: tuple[str, ...]
    template: Template | None = None
    binding: dict[int, int] = field(default_factory=dict)
    score: float = 0.0
    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    missing_required: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    likely_renamed: tuple[tuple[str, str], ...] = ()
    moved: tuple[str, ...] = ()
    currency_changes: tuple[tuple[str, str], ...] = ()
    contradictions: tuple[Contradiction, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The match as JSON, for the catalogue and the API."""
        return {
            "outcome": self.outcome.value,
            "template": self.template.name if self.template else None,
            "score": round(self.score, 3),
            "binding": {str(position): target for position, target in sorted(self.binding.items())},
            "added": list(self.added),
            "missing": list(self.missing),
            "missing_required": list(self.missing_required),
            "renamed": [list(pair) for pair in self.renamed],
            "likely_renamed": [list(pair) for pair in self.likely_renamed],
            "moved": list(self.moved),
            "currency_changes": [list(pair) for pair in self.currency_changes],
            "contradictions": [
                {
                    "header": found.header,
                    "field": found.field,
                    "kind": found.kind.value,
                    "examples": list(found.examples),
                    "reason": found.reason,
                }
                for found in self.contradictions
            ],
        }


@dataclass(frozen=True, slots=True)
class FamilyGuess:
    """What a header says about a file of which nothing else is known; several families can share one header."""

    match: Match
    families: tuple[Family, ...]


def match(header: Sequence[str], templates: Iterable[Template], *, sample_rows: Rows = ()) -> Match:
    """Match a header with the variant that fits best; ``sample_rows`` are the rows right below the header.

    Where variants have equal headers, the sample values decide between them. Where these can be read by two variants
    and mean another thing by each, the match is blocked.
    """
    candidates = [_compare(tuple(header), template, sample_rows) for template in templates]
    if not candidates:
        return Match(Outcome.NONE, tuple(header))
    ranked = [(_rank(found, sample_rows), found) for found in candidates]
    rank, best = min(ranked, key=lambda pair: pair[0])
    fit = rank[:_DECIDED_BY_FIT]
    equal = [found for other, found in ranked if found is not best and other[:_DECIDED_BY_FIT] == fit]
    return _undecided(best, equal, sample_rows)


def best_family(header: Sequence[str], templates: Iterable[Template], *, sample_rows: Rows = ()) -> FamilyGuess | None:
    """The families whose templates fit a header best, or None when none is likely."""
    candidates = [_compare(tuple(header), template, sample_rows) for template in templates]
    candidates = [found for found in candidates if found.outcome.syncable and found.score >= MIN_FAMILY_SCORE]
    if not candidates:
        return None
    best = min(candidates, key=lambda found: _rank(found, sample_rows))
    families = {
        found.template.family: None
        for found in candidates
        if found.template and (found.outcome, found.score) == (best.outcome, best.score)
    }
    return FamilyGuess(best, tuple(families))


def differences(header: Sequence[str], template: Template, *, sample_rows: Rows = ()) -> Match:
    """Everything in which a header differs from one template, also where the template is about another export."""
    return _differences(tuple(header), template, bind(header, template), sample_rows)


def needed_columns(template: Template) -> tuple[TemplateColumn, ...]:
    """The columns without which a file cannot be synced: required ones and those that identify a row."""
    identity = set(template.identity)
    if "period_start" in identity:
        identity.add("period")
    return tuple(column for column in template.columns if column.required or column.field in identity)


def _compare(header: tuple[str, ...], template: Template, sample_rows: Rows) -> Match:
    """The header against one template; where that is about another export, the differences do not matter."""
    binding = bind(header, template)
    if not _is_about(template, binding):
        return Match(Outcome.NONE, header, template, binding.columns, _score(header, template, binding))
    return _differences(header, template, binding, sample_rows)


def _differences(header: tuple[str, ...], template: Template, binding: Binding, sample_rows: Rows) -> Match:
    bound = set(binding.columns.values())
    needed = {column.position for column in needed_columns(template)}
    gone = [column for column in template.columns if column.position not in bound]
    added = [text for position, text in enumerate(header) if position not in binding.columns and header_key(text).text]
    rows = _data_rows(template, sample_rows)
    found = Match(
        outcome=Outcome.EXACT,
        header=header,
        template=template,
        binding=binding.columns,
        score=_score(header, template, binding),
        added=tuple(added),
        missing=tuple(column.header for column in gone if column.position not in needed),
        missing_required=tuple(column.header or "(blank)" for column in gone if column.position in needed),
        renamed=_pairs(header, template, binding, binding.renamed),
        likely_renamed=_likely_renamed(added, gone),
        moved=tuple(header[position] for position in _moved(binding)),
        currency_changes=_pairs(header, template, binding, _recoined(header, template, binding)),
        contradictions=contradictions(header, binding.columns, template, rows),
    )
    outcome = _outcome(found, template) if _is_about(template, binding) else Outcome.NONE
    return replace(found, outcome=outcome)


def _undecided(best: Match, equal: Iterable[Match], sample_rows: Rows) -> Match:
    """The best match, blocked where another variant that fits as well would read the sample values differently."""
    template = best.template
    if template is None or not best.outcome.syncable:
        return best
    rows = _data_rows(template, sample_rows)
    for other in equal:
        if other.template is None or other.template.family != template.family or other.binding != best.binding:
            continue
        if found := two_readings(best.header, best.binding, template, other.template, rows):
            return replace(best, outcome=Outcome.BLOCKED, contradictions=found)
    return best


def _is_about(template: Template, binding: Binding) -> bool:
    """Whether enough of the template's mapped columns are there for it to be about such a header."""
    mapped = [column.position for column in template.columns if column.field]
    bound = set(binding.columns.values())
    return bool(mapped) and sum(position in bound for position in mapped) >= MIN_COVERAGE * len(mapped)


def _outcome(found: Match, template: Template) -> Outcome:
    if found.missing_required or found.contradictions:
        return Outcome.BLOCKED
    if found.renamed or found.added or found.missing:
        return Outcome.NOTED
    if found.moved or found.currency_changes or not _same_text(found, template):
        return Outcome.COMPATIBLE
    return Outcome.EXACT


def _same_text(found: Match, template: Template) -> bool:
    return all(found.header[position] == template.columns[target].header for position, target in found.binding.items())


def _rank(found: Match, sample_rows: Rows) -> tuple[object, ...]:
    """Smaller is better. Versions and names only settle what header and values leave open."""
    template = found.template
    if template is None:
        raise ValueError("only a match with a template has a rank")
    unfit = found.outcome is Outcome.NONE
    return (
        unfit,
        bool(found.missing_required),
        -round(found.score, 6),
        0 if unfit else misread_values(found.binding, template, _data_rows(template, sample_rows)),
        list(Outcome).index(found.outcome),
        -template.version,
        template.data_row is not None,
        template.variant != "default",
        template.variant,
    )


def _data_rows(template: Template, sample_rows: Rows) -> Rows:
    """The sample rows without those that the template says stand between header and data."""
    if template.data_row is None:
        return sample_rows
    return sample_rows[template.data_row - template.header_row - template.header_rows :]


def _score(header: tuple[str, ...], template: Template, binding: Binding) -> float:
    """How much of both headers is shared, 0 to 1; a rewording counts for a little less."""
    named = sum(1 for text in header if header_key(text).text)
    total = named + sum(1 for column in template.columns if header_key(column.header).text)
    shared = sum(1 for position in binding.columns if header_key(header[position]).text)
    return max(0.0, (2 * shared - 0.1 * len(binding.renamed)) / total) if total else 0.0


def _pairs(
    header: tuple[str, ...], template: Template, binding: Binding, positions: Iterable[int]
) -> tuple[tuple[str, str], ...]:
    return tuple((template.columns[binding.columns[position]].header, header[position]) for position in positions)


def _recoined(header: tuple[str, ...], template: Template, binding: Binding) -> list[int]:
    return [
        position
        for position, target in sorted(binding.columns.items())
        if header_key(header[position]).currency != header_key(template.columns[target].header).currency
    ]


def _moved(binding: Binding) -> list[int]:
    """Positions in the file that are out of the template's order: all but a longest run that is in order."""
    positions = sorted(binding.columns)
    targets = [binding.columns[position] for position in positions]
    tails: list[int] = []
    lengths: list[int] = []
    for target in targets:
        at = bisect_left(tails, target)
        tails[at : at + 1] = [target]
        lengths.append(at + 1)
    in_order, wanted, limit = set(), len(tails), float("inf")
    for index in range(len(targets) - 1, -1, -1):
        if lengths[index] == wanted and targets[index] < limit:
            in_order.add(index)
            wanted, limit = wanted - 1, targets[index]
    return [position for index, position in enumerate(positions) if index not in in_order]


def _likely_renamed(added: list[str], gone: list[TemplateColumn]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for column in gone:
        text = header_key(column.header).text
        scored = [(fuzz.ratio(text, header_key(candidate).text), candidate) for candidate in added]
        best = max(scored, default=(0.0, ""))
        if best[0] >= _LIKELY_RENAMED:
            pairs.append((column.header, best[1]))
    return tuple(pairs)
