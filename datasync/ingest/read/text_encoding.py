"""Which encoding a text file is in: byte order mark, strict UTF-8, UTF-16, then whatever reads like our languages.

Bytes of one legacy encoding often decode in another without error, as nonsense. So each candidate's text is weighed:
expected headers found in it first, then the share of its letters that such a text would really use.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise

from datasync.exceptions import UndecodableText, UnsupportedFormat

SAMPLE_BYTES = 256 * 1024
MIN_PLAUSIBILITY = 0.5
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


_CONTROLS = bytes((*range(1, 9), *range(14, 27), *range(28, 32)))


def detect_encoding(sample: bytes, expected_header: Sequence[str] = ()) -> tuple[str, int]:
    """The encoding of a file that begins with ``sample``, and the length of its byte order mark."""
    for mark, encoding in MARKS:
        if sample.startswith(mark):
            return encoding, len(mark)
    if wide := _utf16_without_mark(sample):
        return wide, 0
    _refuse_binary(sample)
    text = sample.decode("utf-8", "replace")
    broken = text.rstrip("\ufffd").count("\ufffd")
    if broken == 0:
        return "utf-8", 0
    readable = sum(1 for character in text if character > "\x7f") - text.count("\ufffd")
    if readable >= 4 * broken:  # single foreign bytes in UTF-8 are reported cell by cell
        return "utf-8", 0
    return _most_plausible(sample, expected_header), 0


def _utf16_without_mark(sample: bytes) -> str:
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    for encoding, many, few in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if many > len(sample) // 40 and many > 8 * few:
            try:
                codecs.getincrementaldecoder(encoding)().decode(sample)
            except UnicodeDecodeError:
                continue
            return encoding
    return ""


def _refuse_binary(sample: bytes) -> None:
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if controls > max(8, len(sample) // 50) or sample.count(0) > max(64, len(sample) // 20):
        raise UnsupportedFormat(found="binary data")


def _most_plausible(sample: bytes, expected_header: Sequence[str]) -> str:
    scores: list[tuple[float, str]] = []
    for encoding, weigh in CANDIDATES.items():
        text = sample.decode(encoding, "replace")
        foreign = [character for character in text if character > "\x7f"]
        errors = text.rstrip("\ufffd").count("\ufffd")
        hits = sum(1 for name in expected_header if name and not name.isascii() and name in text)
        score = weigh(text, encoding) - 4 * errors / max(1, len(foreign))
        scores.append((hits + score, encoding))
    best, encoding = max(scores, key=lambda pair: pair[0])
    if best < MIN_PLAUSIBILITY:
        raise UndecodableText(found="tried UTF-8, UTF-16, GB18030, Big5, CP1252, CP874 and CP1258")
    return encoding


def _chinese(text: str, encoding: str) -> float:
    """Share of the characters that lie among the frequent ones of the national standard, or its punctuation."""
    last = 0xD7 if encoding == "gb18030" else 0xC6
    foreign = [character for character in text if character > "\x7f" and character != "\ufffd"]
    common = 0
    for character in foreign:
        lead = character.encode(encoding)
        first = 0xB0 if encoding == "gb18030" else 0xA4
        common += len(lead) == 2 and (first <= lead[0] <= last or 0xA1 <= lead[0] <= 0xA3)
    return common / max(1, len(foreign))


def _western(text: str, _: str) -> float:
    """Share of the accented letters that stand in a word of ASCII letters, as small ones after small ones."""
    good = total = 0
    for before, character in zip(" " + text, text, strict=False):
        if character > "\x7f":
            total += 1
            capital_inside = character.isupper() and before.islower()
            in_word = before.isascii() or before.isalpha()
            good += (character.isalpha() and in_word and not capital_inside) or character in "€£°ºª–—’‘“”·…«»"
    doubled = sum(1 for one, two in pairwise(text) if one > "\x7f" and two > "\x7f")
    return (good - doubled) / max(1, total)


def _thai(text: str, _: str) -> float:
    """Share of the characters that are Thai and placed as Thai is written: marks behind consonants."""
    good = total = 0
    for before, character in zip(" " + text, text, strict=False):
        if character > "\x7f":
            total += 1
            mark = unicodedata.category(character) == "Mn"
            follows = "ก" <= before <= "ฮ" or unicodedata.category(before) == "Mn"
            thai = "ก" <= character <= "๛"
            good += thai and (follows or not mark) and not ("เ" <= before <= "ไ" and not "ก" <= character <= "ฮ")
    return 0.98 * good / max(1, total) - 0.5 * (total > 0 and not any("ะ" <= character <= "์" for character in text))


def _vietnamese(text: str, _: str) -> float:
    """Share of the characters that are Vietnamese letters, or tone marks behind a vowel."""
    good = total = marks = 0
    for before, character in zip(" " + text, text, strict=False):
        if character > "\x7f":
            total += 1
            tone = unicodedata.combining(character) > 0
            marks += tone
            vowel = unicodedata.normalize("NFD", before)[0].lower() in "aeiouy"
            good += vowel if tone else character.lower() in "ăâđêôơưáàéèíóòúùýãõĩũ"
    return 0.97 * good / max(1, total) if marks else 0.0


CANDIDATES: dict[str, Callable[[str, str], float]] = {
    "gb18030": _chinese,
    "big5": _chinese,
    "cp1252": _western,
    "cp874": _thai,
    "cp1258": _vietnamese,
}
