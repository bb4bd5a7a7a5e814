"""The workbook's shared strings as one column of texts, read in pieces so that only the texts stay in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

import polars as pl

from datasync.exceptions import CorruptFile, UnsafeFile
from datasync.ingest.read import limits
from datasync.ingest.read.package import Package
from datasync.ingest.read.xml_parts import local_name, new_parser
from datasync.ingest.read.xml_text import excel_unescape, text_column, unescape, unescape_text

PIECE_BYTES = 8 * limits.MEBIBYTE
PLAIN = r"^(?:<t[^>]*/>|<t[^>]*>([^<]*)</t>)</si>"
PHONETIC = re.compile(r"<rPh\b.*?</rPh>", re.DOTALL)
RUN = re.compile(r"<t(?:\s[^>]*)?>([^<]*)</t>")
END = b"</si>"


def read_shared_strings(package: Package, part: str | None) -> pl.Series:
    """All shared strings in order. The count that the file declares is not believed."""
    if part is None or part not in package:
        return pl.Series([], dtype=pl.String)
    blocks = package.blocks(part, limit=limits.MAX_STRINGS_BYTES)
    first = next(blocks, b"")
    if b"<si" not in first.replace(b"<si>", b"").replace(b"<si/>", b"") and b"<sst" in first:
        pieces = list(_fast(first, blocks))
    else:
        pieces = [_careful(first, blocks)]
    return pl.concat(pieces).replace("", None) if pieces else pl.Series([], dtype=pl.String)


def _fast(first: bytes, blocks: Iterator[bytes]) -> Iterator[pl.Series]:
    pending = first[first.index(b"<sst") :]
    if b"<!" in first[: len(first) - len(pending)]:
        raise UnsafeFile(found="a document type definition inside the workbook")
    for block in blocks:
        pending += block
        if len(pending) >= PIECE_BYTES and (cut := pending.rfind(END) + len(END)) >= len(END):
            yield _piece(pending[:cut])
            pending = pending[cut:]
        if len(pending) > limits.MAX_ROW_BYTES:
            raise UnsafeFile(found="a single text of many megabytes")
    yield _piece(pending)


def _piece(data: bytes) -> pl.Series:
    items = (
        text_column(data.replace(b"<si/>", b"<si><t/></si>"), part="list of texts").str.split("<si>").explode().slice(1)
    )
    texts = items.str.extract(PLAIN)
    if b"&" in data or b"_x" in data:
        texts = unescape(texts)
    others = texts.is_null().arg_true()
    return texts.scatter(others, [_runs(item) for item in items.gather(others)]) if len(others) else texts


def _runs(item: str) -> str:
    """The text of an item of several formatted runs; the phonetic hints are no part of it."""
    return unescape_text("".join(RUN.findall(PHONETIC.sub("", item))))


def _careful(first: bytes, blocks: Iterator[bytes]) -> pl.Series:
    """Any serialisation, through expat."""
    texts: list[str] = []
    runs: list[str] = []
    inside: list[str] = []

    def start(name: str, _: dict[str, str]) -> None:
        inside.append(local_name(name))
        if inside[-1] == "si":
            runs.clear()

    def end(_: str) -> None:
        if inside.pop() == "si":
            texts.append(excel_unescape("".join(runs)))

    def characters(data: str) -> None:
        if inside[-1] == "t" and "rPh" not in inside:
            runs.append(data)

    parser = new_parser()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    try:
        parser.Parse(first, False)
        for block in blocks:
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise CorruptFile(found=f"its shared strings are no valid XML ({error})") from error
    return pl.Series(texts, dtype=pl.String)
