"""The dictionaries of headers: what the standard fields are called in the exports' languages.

A header is looked up in falling certainty: as it stands, without accents, then by likeness. Likeness is only there for
slips of spelling: it never reaches the confidence of an entry of the dictionary, and it never crosses a word that
carries meaning, so that "Ship Date" is not taken for "Order Date".
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

from datasync.fields import Domain
from datasync.mapping.bind import ALIASES
from datasync.mapping.headers import clean_header, header_key

EXACT = 0.98
WITHOUT_ACCENTS = 0.92
FUZZY_CEILING = 0.85
FUZZY_MIN_RATIO = 86
_MIN_FUZZY_LENGTH = 6
_MIN_WORD = 5
_WORD_MIN_RATIO = 85
_NONE = "none"
_FILLERS = frozenset({"the", "of", "a", "an", "de", "del", "da", "do", "la", "el", "los", "las", "dos", "das", "s"})


@dataclass(frozen=True, slots=True)
class Alias:
    """One entry of a dictionary. ``field`` None: known to feed no field. ``rank`` 0 is the best name of the field."""

    text: str
    field: str | None
    language: str
    rank: int


@dataclass(frozen=True, slots=True)
class Hit:
    """What a header was recognised as."""

    field: str | None
    confidence: float
    reason: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Contextual:
    """A header that means the field only beside others, or on certain platforms."""

    key: str
    field: str | None
    company: frozenset[str]
    platforms: frozenset[str]


@dataclass(frozen=True, slots=True)
class AliasBook:
    """The dictionary of one domain."""

    exact: Mapping[str, Alias]
    plain: Mapping[str, Alias]  # without accents, Latin letters only
    contextual: tuple[Contextual, ...]


def alias_key(header: str) -> str:
    """The header's letters and digits only, without case and currency."""
    return _letters(header_key(header).text)


def look_up(header: str, *, domain: Domain, company: Collection[str] = (), platform: str = "") -> Hit | None:
    """What the dictionary of a domain says of a header; ``company`` holds the keys of the whole header."""
    book, key = alias_book(domain), alias_key(header)
    if not key:
        return None
    for entry in book.contextual:
        if key == entry.key and (entry.company.intersection(company) or platform in entry.platforms):
            return Hit(entry.field, EXACT, "alias in context")
    if alias := book.exact.get(key):
        return Hit(alias.field, EXACT, f"alias:{alias.language} exact", alias.rank)
    plain = _without_accents(key)
    if plain and (alias := book.plain.get(plain)):
        return Hit(alias.field, WITHOUT_ACCENTS, f"alias:{alias.language} without accents", alias.rank)
    return _fuzzy(header, key, book)


@lru_cache(maxsize=len(Domain))
def alias_book(domain: Domain) -> AliasBook:
    """The dictionary of a domain, read once."""
    data = tomllib.loads((ALIASES / f"{domain}.toml").read_text(encoding="utf-8"))
    contextual = tuple(
        Contextual(
            key=alias_key(entry["header"]),
            field=None if entry["field"] == _NONE else entry["field"],
            company=frozenset(alias_key(other) for other in entry["with"]),
            platforms=frozenset(entry.get("platforms", ())),
        )
        for entry in data.pop("contextual", [])
    )
    exact: dict[str, Alias] = {}
    plain: dict[str, Alias] = {}
    for name, languages in data.items():
        field = None if name == _NONE else name
        for language, headers in languages.items():
            for rank, header in enumerate(headers):
                alias = Alias(header, field, language, rank)
                exact.setdefault(alias_key(header), alias)
                if key := _without_accents(alias_key(header)):
                    plain.setdefault(key, alias)
    return AliasBook(exact, plain, contextual)


def _fuzzy(header: str, key: str, book: AliasBook) -> Hit | None:
    if len(key) < _MIN_FUZZY_LENGTH:
        return None
    near = process.extract(key, book.exact.keys(), scorer=fuzz.ratio, score_cutoff=FUZZY_MIN_RATIO, limit=5)
    for text, score, _ in near:
        alias = book.exact[text]
        if _same_words(header, alias.text):
            return Hit(
                alias.field, round(FUZZY_CEILING * score / 100, 2), f"alias fuzzy {score / 100:.2f} of {alias.text}"
            )
    return None


def _same_words(header: str, alias: str) -> bool:
    """Whether each word of one has its like in the other, and the numbers are the same.

    In scripts without spaces any differing letter may turn the meaning, so nothing counts as alike there.
    """
    first, second = _words(header), _words(alias)
    if not first or not second or not all(word.isascii() or _without_accents(word) for word in (*first, *second)):
        return False
    if _numbers(header) != _numbers(alias):
        return False
    return all(_has_like(word, second) for word in first) and all(_has_like(word, first) for word in second)


def _has_like(word: str, others: Collection[str]) -> bool:
    """Whether one of the others is the same word but for a slip or a plural."""
    plain = word.removesuffix("s")
    return any(
        plain == other.removesuffix("s")
        or (
            min(len(word), len(other)) >= _MIN_WORD
            and abs(len(word) - len(other)) <= 1
            and word[0] == other[0]
            and fuzz.ratio(word, other) >= _WORD_MIN_RATIO
        )
        for other in others
    )


def _words(text: str) -> list[str]:
    words = re.findall(r"\w+", clean_header(text).casefold())
    return [word for word in words if word not in _FILLERS]


def _numbers(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def _letters(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char)[0] in "LMN")


def _without_accents(key: str) -> str:
    """The key in plain Latin letters, or "" when it is in another script."""
    decomposed = unicodedata.normalize("NFD", key.replace("đ", "d"))
    plain = "".join(char for char in decomposed if unicodedata.category(char) != "Mn")
    return plain if plain.isascii() else ""
