"""Bind the columns of a file to the columns of a template.

It goes from sure to less sure, and what an earlier pass bound is out of the later ones: the same text and currency;
the same text in another currency; a stated alias; a known change of wording. Headers that stand in one file side by
side can therefore never be merged.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from datasync.mapping.headers import HeaderKey, header_key, header_keys
from datasync.mapping.template import Template, TemplateColumn

ALIASES = Path(__file__).parent / "aliases"

_FileColumn = tuple[int, HeaderKey]
_CNY = "_cny"


@dataclass(slots=True)
class Binding:
    """Which column of the file is which column of the template, both by position."""

    columns: dict[int, int] = field(default_factory=dict)
    renamed: list[int] = field(default_factory=list)  # positions in the file that are bound by another wording


def bind(header: Sequence[str], template: Template) -> Binding:
    """Bind what can be bound without doubt; the rest stays unbound on both sides."""
    state = _Binder(header, template)
    state.bind_blank()
    state.bind_equal(lambda key: key, lambda column: [header_key(column.header)])
    state.bind_equal(lambda key: key.text, lambda column: [header_key(column.header).text])
    state.renaming = True
    state.bind_equal(lambda key: key.text, lambda column: [header_key(alias).text for alias in column.aliases])
    state.bind_equal(
        lambda key: (canonical_wording(key.text), key.currency),
        lambda column: [(canonical_wording(header_key(column.header).text), header_key(column.header).currency)],
    )
    state.bind_equal(
        lambda key: canonical_wording(key.text),
        lambda column: [canonical_wording(header_key(column.header).text)],
    )
    return state.binding


@lru_cache(maxsize=16_384)
def canonical_wording(text: str) -> str:
    """The text of a header key with every known wording replaced by the first of its group."""
    for word, first in _wordings():
        text = text.replace(word, first)
    return text


@lru_cache(maxsize=1)
def _wordings() -> tuple[tuple[str, str], ...]:
    groups = tomllib.loads((ALIASES / "wording.toml").read_text(encoding="utf-8"))["groups"]
    pairs = [(header_key(word).text, header_key(group[0]).text) for group in groups for word in group[1:]]
    return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))


class _Binder:
    def __init__(self, header: Sequence[str], template: Template) -> None:
        self.binding = Binding()
        self.template = template
        self.file = list(enumerate(header_keys(header)))
        self.renaming = False
        self.bound: set[int] = set()

    def bind_blank(self) -> None:
        """A blank header says nothing but its position."""
        keys = dict(self.file)
        for column in self.template.columns:
            position = column.position
            if not header_key(column.header).text and position in keys and not keys[position].text:
                self._take(position, position)

    def bind_equal(
        self,
        file_key: Callable[[HeaderKey], Hashable],
        column_keys: Callable[[TemplateColumn], Iterable[Hashable]],
    ) -> None:
        """Bind what is unbound on both sides and equal under the given keys."""
        found: dict[Hashable, list[_FileColumn]] = defaultdict(list)
        for position, key in self.file:
            if key.text and position not in self.binding.columns:
                found[file_key(key)].append((position, key))
        wanted: dict[Hashable, list[TemplateColumn]] = defaultdict(list)
        for column in self.template.columns:
            if column.position not in self.bound:
                for wanted_key in column_keys(column):
                    wanted[wanted_key].append(column)
        for shared, columns in found.items():
            for position, target in _pair(columns, wanted[shared]) if shared in wanted else ():
                if target not in self.bound:
                    self._take(position, target)

    def _take(self, position: int, target: int) -> None:
        self.binding.columns[position] = target
        self.bound.add(target)
        if self.renaming:
            self.binding.renamed.append(position)


def _pair(found: list[_FileColumn], wanted: list[TemplateColumn]) -> list[tuple[int, int]]:
    """Pair columns with equal keys in their order; nothing where it is not clear which is which.

    An amount in CNY is never taken from a column in another currency, nor the other way round where both coexist.
    """
    wanted = [
        column
        for column in wanted
        if not (column.field or "").endswith(_CNY) or all(key.currency == "CNY" for _, key in found)
    ]
    if len(wanted) > len(found):
        plain = [column for column in wanted if not header_key(column.header).currency]
        wanted = plain if len(plain) == len(found) else wanted
    currencies = {key.currency for _, key in found}
    if len(found) == len(wanted) or (len(wanted) == 1 and len(currencies) == 1):
        pairs = zip(found, wanted, strict=False)
        return [(position, column.position) for (position, _), column in pairs]
    if all(column.field is None for column in wanted):
        return [(position, column.position) for (position, _), column in zip(found, wanted, strict=False)]
    return []
