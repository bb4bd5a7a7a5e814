"""Say in what two versions of a template differ, or a template and a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from datasync.exceptions import HeaderUnknown
from datasync.mapping.document import SETTING_NAMES
from datasync.mapping.match import Match, Outcome, differences
from datasync.mapping.selectors import sample_rows
from datasync.mapping.store import to_template
from datasync.mapping.template import Template, TemplateColumn
from datasync.models import CatalogFile, HeaderTemplate

_COLUMN_NAMES = ("field", "kind", "format", "required", "aliases")

VERDICTS = {
    Outcome.EXACT: "synced",
    Outcome.COMPATIBLE: "synced",
    Outcome.NOTED: "noted",
    Outcome.BLOCKED: "blocked",
    Outcome.NONE: "unrelated",
}
"""What a sync under the first template makes of a file with the other header."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that two templates state differently."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column of both templates that means another thing, or is read in another way."""

    header: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How ``after``, a template or a file, differs from the template ``before``.

    ``match`` is ``after``'s header under the template. ``settings`` and ``columns`` are of two templates only, and so
    is ``same_values``: whether both read the same values from the same cells, so that no stored row would change.
    """

    before: str
    after: str
    match: Match
    settings: tuple[Change, ...] = ()
    columns: tuple[ColumnChange, ...] = ()
    same_values: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON."""
        told = self.match.as_dict()
        return {
            "before": self.before,
            "after": self.after,
            "verdict": VERDICTS[self.match.outcome],
            "outcome": told["outcome"],
            "match_rate": told["score"],
            "same_values": self.same_values,
            "differences": {
                name: told[name]
                for name in (
                    "added", "missing", "missing_required", "renamed", "likely_renamed", "moved", "currency_changes",
                    "contradictions",
                )
            },
            "settings": [_change(change) for change in self.settings],
            "columns": [
                {"header": column.header, "changes": [_change(change) for change in column.changes]}
                for column in self.columns
            ],
        }  # fmt: skip


def compare_templates(before: HeaderTemplate, after: HeaderTemplate) -> Comparison:
    """Two templates, usually two versions of one variant; their columns should have been prefetched."""
    old, new = to_template(before), to_template(after)
    found = differences(new.header, old)
    columns = []
    for position, target in sorted(found.binding.items()):
        if changes := tuple(_column_changes(old.columns[target], new.columns[position])):
            columns.append(ColumnChange(new.columns[position].header, changes))
    return Comparison(
        before=str(before),
        after=str(after),
        match=found,
        settings=tuple(_setting_changes(old, new)),
        columns=tuple(columns),
        same_values=old.fingerprint == new.fingerprint,
    )


def compare_with_file(template: HeaderTemplate, file: CatalogFile) -> Comparison:
    """A template and a file's header, with the values that the catalogue holds; the file is not read.

    Raises ``HeaderUnknown`` for a file in which no header was found.
    """
    if not file.header:
        raise HeaderUnknown(what=file.pk)
    found = differences(file.header, to_template(template), sample_rows=sample_rows(file))
    return Comparison(before=str(template), after=file.original_name, match=found)


def _setting_changes(old: Template, new: Template) -> Iterator[Change]:
    pairs: list[tuple[str, Any, Any]] = [
        ("family", old.family.key, new.family.key),
        ("variant", old.variant, new.variant),
    ]
    pairs += [(name, getattr(old, name), getattr(new, name)) for name in SETTING_NAMES]
    pairs.append(("identity", list(old.identity), list(new.identity)))
    yield from (Change(name, before, after) for name, before, after in pairs if before != after)


def _column_changes(old: TemplateColumn, new: TemplateColumn) -> Iterator[Change]:
    for name in _COLUMN_NAMES:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Change(name, before, after)


def _change(change: Change) -> dict[str, Any]:
    plain = (list(value) if isinstance(value, tuple) else value for value in (change.before, change.after))
    before, after = plain
    return {"name": change.name, "before": before, "after": after}
