"""Text content of sheet XML: entities, and Excel's own ``_xHHHH_`` escapes."""

from __future__ import annotations

import re

import polars as pl

from datasync.exceptions import CorruptFile

ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
REFERENCE = re.compile(r"&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|(lt|gt|quot|apos|amp));")
EXCEL_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
SURROGATE_PAIR = re.compile("([\ud800-\udbff])([\udc00-\udfff])")
LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def text_column(data: bytes, *, part: str) -> pl.Series:
    """UTF-8 bytes as a column of one text, never copied into a Python string."""
    try:
        return pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError as error:
        raise CorruptFile(found=f"its {part} is not UTF-8") from error


def unescape(texts: pl.Series, *, references: bool = True) -> pl.Series:
    """Texts as the spreadsheet shows them. ``references=False`` where a parser has resolved ``&…;`` already.

    A character that no text can hold (NUL, half a surrogate pair) becomes NUL, which the reader reports later.
    """
    escaped = texts.str.contains("_x", literal=True)
    if references:
        escaped |= texts.str.contains("&", literal=True)
    places = escaped.arg_true()
    if not len(places):
        return texts
    found = texts.gather(places)
    return texts.scatter(places, _unescape_few(found, references=references))


def _unescape_few(texts: pl.Series, *, references: bool) -> pl.Series:
    if not references:
        return pl.Series([excel_unescape(text) for text in texts], dtype=pl.String)
    rare = texts.str.contains("_x|&#")
    common = texts.str.replace_many(ENTITIES)
    if not rare.any():
        return common
    places = rare.arg_true()
    return common.scatter(places, [unescape_text(text) for text in texts.gather(places)])


def unescape_text(text: str) -> str:
    """One text, with character references and Excel's escapes resolved."""
    return excel_unescape(REFERENCE.sub(_resolve, text))


def excel_unescape(text: str) -> str:
    """One text with Excel's ``_x000D_`` escapes resolved."""
    text = EXCEL_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    text = SURROGATE_PAIR.sub(lambda match: match[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return LONE_SURROGATE.sub("\0", text)


def _resolve(match: re.Match[str]) -> str:
    if match[3]:
        return ENTITIES[match[0]]
    code = int(match[1], 16) if match[1] else int(match[2])
    return chr(code) if code < 0x110000 else "\0"
