"""Header texts made comparable, and the currency that a header names.

Exports write one header in many ways: composed or decomposed, full-width or half-width brackets (even mixed in one
pair), line breaks, a leading ``*``, another currency for each country. Two headers mean the same when their keys are
equal; the currency is kept beside the text, because ``利润`` and ``利润(RMB)`` stand in one file and are two columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from datasync.currencies import NAMES

_BRACKETS = str.maketrans(
    {
        **dict.fromkeys("[{【「『〔〖《<", "("),
        **dict.fromkeys("]}】」』〕〗》>", ")"),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("’‘`´", "'"),
    }
)
# fmt: off
_ISO_CODES = (
    "AED", "ARS", "AUD", "BRL", "CAD", "CHF", "CLP",
    "CNY", "COP", "EUR", "GBP", "HKD", "IDR", "INR",
    "JPY", "KRW", "MXN", "MYR", "NZD", "PHP", "PLN",
    "SAR", "SEK", "SGD", "THB", "TWD", "USD", "VND",
)
# fmt: on
_NAMES = {
    **{code.casefold(): code for code in _ISO_CODES},
    **{name.casefold(): code for name, code in NAMES.items() if name != "$"},
    "đồng": "VND",
}
"""What names a currency in a header. A bare ``$`` is the dollar or peso of any country there."""
_IN_BRACKETS = re.compile(r"\s*\(\s*([^()]{1,8}?)\s*(?:\)|$)")
_AS_CODE = re.compile(rf"[\s_:,-]*(?<![A-Za-z0-9])({'|'.join(_ISO_CODES)}|RMB)(?![A-Za-z0-9])[\s_:,-]*")
_AS_SUFFIX = re.compile(rf"_({'|'.join(_ISO_CODES)}|RMB)$", re.IGNORECASE)
_AS_SYMBOL = re.compile(
    r"[\s_:-]*(?:(?<![A-Za-z])(NT\$|HK\$|US\$|MX\$|R\$|S\$|RM(?![A-Za-z])|Rp\.?(?![A-Za-z]))|([₱฿₫€£]))[\s_:-]*"
)
_ID_LIKE = re.compile(
    r"(?:(?<![A-Za-z])(?:ids?|nos?\.?|numbers?|skus?|codes?|ref\.?|reference)|编号|編號|单号|單號|货号|貨號)"
    r"\s*(?:\([^()]*\)?)?$"
    r"|^(?:mã|รหัส|หมายเลข|nomor|no\.|kode|número|numero|código|id)(?:\s|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class HeaderKey:
    """What two headers are compared by. ``currency`` is an ISO 4217 code, or "" when the header names none."""

    text: str
    currency: str = ""


def clean_header(header: str) -> str:
    """The header in one line, NFKC, with round half-width brackets, and without stars and invisible characters."""
    text = unicodedata.normalize("NFKC", header).translate(_BRACKETS)
    text = "".join(char for char in text if char.isspace() or unicodedata.category(char) not in {"Cf", "Cc", "Cs"})
    return " ".join(text.split()).strip("* ")


@lru_cache(maxsize=16_384)
def header_key(header: str) -> HeaderKey:
    """The comparable form of a header: case, white space, brackets and currency do not count in its text."""
    text = clean_header(header)
    currency, rest = _split_currency(text)
    key = _compact(rest)
    return HeaderKey(key, currency) if key else HeaderKey(_compact(text))


def header_currency(header: str) -> str:
    """The ISO 4217 code of the currency that a header names, or ""."""
    return header_key(header).currency


def header_keys(headers: Sequence[str]) -> tuple[HeaderKey, ...]:
    """The keys of a whole header, in its order."""
    return tuple(header_key(header) for header in headers)


def is_id_like(header: str) -> bool:
    """Whether a header names an identifier, where letters such as ``RM`` are no currency."""
    return _ID_LIKE.search(clean_header(header)) is not None


def _compact(text: str) -> str:
    return unicodedata.normalize("NFC", "".join(text.casefold().split()))


def _split_currency(text: str) -> tuple[str, str]:
    id_like = is_id_like(text)
    for found in _IN_BRACKETS.finditer(text):
        code = _NAMES.get(found[1].casefold(), "")
        if code and not (id_like and found[1].upper() not in _ISO_CODES):
            return code, text[: found.start()] + text[found.end() :]
    patterns = [_AS_SUFFIX, _AS_CODE] if id_like else [_AS_SUFFIX, _AS_CODE, _AS_SYMBOL]
    for pattern in patterns:
        match = pattern.search(text)
        if match:
            symbol = next(group for group in match.groups() if group)
            return _NAMES[symbol.casefold()], f"{text[: match.start()]} {text[match.end() :]}".strip()
    return "", text
