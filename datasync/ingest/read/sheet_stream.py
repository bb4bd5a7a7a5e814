"""A sheet's XML, inflated piece by piece and cut between rows: reading starts at once and memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator

from datasync.exceptions import UnsafeFile
from datasync.ingest.read import limits
from datasync.ingest.read.cell_kinds import CellKind
from datasync.ingest.read.sheet_expat import SheetParser
from datasync.ingest.read.sheet_tokens import KindTable, Tokens, tokenise

ROW_END = b"</row>"
SHEET_DATA = b"<sheetData>"
FIRST_PIECE_BYTES = 2 * limits.MEBIBYTE
MAX_PIECE_BYTES = 24 * limits.MEBIBYTE
PROLOGUE_BYTES = 8 * limits.MEBIBYTE


def sheet_tokens(
    blocks: Iterator[bytes], number_kinds: tuple[CellKind, ...], *, batch_rows: int
) -> Iterator[tuple[Tokens, bool]]:
    """The sheet's cells in pieces of about ``batch_rows`` rows; the flag says that ``&…;`` is still in their texts."""
    prologue = b""
    for block in blocks:
        prologue += block
        if SHEET_DATA in prologue or len(prologue) > PROLOGUE_BYTES:
            break
    before, found, rest = prologue.partition(SHEET_DATA)
    if not found or b"<!" in before or before.count(b"<?") > 1 or not before.startswith((b"<", b"\xef\xbb\xbf<")):
        yield from _parsed(_chain(prologue, blocks), number_kinds, batch_rows)
        return
    yield from _pieces(before + SHEET_DATA, rest, blocks, number_kinds, batch_rows)


def _pieces(
    prologue: bytes, pending: bytes, blocks: Iterator[bytes], number_kinds: tuple[CellKind, ...], batch_rows: int
) -> Iterator[tuple[Tokens, bool]]:
    table = KindTable(number_kinds)
    target = FIRST_PIECE_BYTES
    parts, size, ended = [pending], len(pending), False
    while not ended:
        while size < target:
            block = next(blocks, None)
            if block is None:
                ended = True
                break
            parts.append(block)
            size += len(block)
        data = b"".join(parts)
        if _has_markup(data):
            yield from _parsed(_chain(prologue, iter([data]), blocks), number_kinds, batch_rows)
            return
        cut = data.rfind(ROW_END) + len(ROW_END)
        if cut < len(ROW_END):
            if size > limits.MAX_ROW_BYTES:
                raise UnsafeFile(found="a single row of many megabytes")
            target += FIRST_PIECE_BYTES
            parts = [data]
            continue
        piece = data[:cut]
        parts, size = [data[cut:]], len(data) - cut
        tokens = tokenise(piece, table)
        usual = tokens is not None
        tokens = tokens or _parse_piece(piece, number_kinds)
        yield tokens, usual
        rows = max(1, len(tokens.numbers))
        target = min(MAX_PIECE_BYTES, max(FIRST_PIECE_BYTES // 2, len(piece) // rows * batch_rows))


def _has_markup(data: bytes) -> bool:
    """Whether comments, CDATA or instructions may hide tags; single bytes are far quicker to look for."""
    return (b"!" in data and b"<!" in data) or (b"?" in data and b"<?" in data)


def _parse_piece(piece: bytes, number_kinds: tuple[CellKind, ...]) -> Tokens:
    parser = SheetParser(number_kinds)
    parser.feed(SHEET_DATA + piece + b"</sheetData>", final=True)
    return parser.take()


def _parsed(
    blocks: Iterator[bytes], number_kinds: tuple[CellKind, ...], batch_rows: int
) -> Iterator[tuple[Tokens, bool]]:
    """The whole rest through expat: slower, but any XML will do."""
    parser = SheetParser(number_kinds)
    for block in blocks:
        parser.feed(block)
        if parser.complete_rows >= batch_rows:
            yield parser.take(), False
    yield parser.take(), False


def _chain(first: bytes, *others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    for blocks in others:
        yield from blocks
