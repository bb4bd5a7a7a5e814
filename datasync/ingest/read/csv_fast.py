"""A text file's good stretches: cut between records, checked for everything unusual, parsed column-wise by Polars."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from datasync.ingest.read import limits
from datasync.ingest.read.raw import column_names

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]
NEWLINE, RETURN, QUOTE = b"\n", b"\r", b'"'
LONG_FIELD_BYTES = 16_384  # a record of a million characters has such a field, for it has at most two thousand


def last_record_end(data: bytes) -> int:
    """Length up to the last line end outside quotation marks; 0 when there is none."""
    odd = data.count(QUOTE) % 2
    end = len(data)
    while (at := data.rfind(NEWLINE, 0, end)) >= 0:
        odd ^= data.count(QUOTE, at + 1, end) % 2
        if not odd:
            return at + 1
        end = at
    return 0


def quotes_are_regular(data: bytes, delimiter: str) -> bool:
    """Whether each quotation mark opens or closes a whole cell, or is doubled inside one."""
    if QUOTE not in data:
        return True
    bytes_ = np.frombuffer(data, dtype=np.uint8)
    at = np.flatnonzero(bytes_ == QUOTE[0])
    if len(at) % 2:
        return False
    edge = np.zeros(256, dtype=bool)
    edge[[ord(delimiter), NEWLINE[0], RETURN[0]]] = True
    padded = np.concatenate(([NEWLINE[0]], bytes_, [NEWLINE[0]]))
    opening, closing = at[0::2], at[1::2]
    doubled = closing[:-1] + 1 == opening[1:]
    opens = edge[padded[opening]]
    opens[1:] |= doubled
    closes = edge[padded[closing + 2]]
    closes[:-1] |= doubled
    return bool(opens.all() and closes.all())


def parse(data: bytes, delimiter: str, *, width: int, first_row: int) -> pl.DataFrame | None:
    """Rows of ``data``, or ``None`` when anything is unusual: blank or ragged lines, odd line ends, bad bytes."""
    view = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(view == NEWLINE[0])
    if _has_odd_lines(data, view, ends):
        return None
    quoted = QUOTE in data
    try:
        frame = pl.read_csv(
            data,
            has_header=False,
            separator=delimiter,
            quote_char='"' if quoted else None,
            schema=dict.fromkeys(column_names(width), pl.String),
            extra_columns="raise",
        )
    except pl.exceptions.PolarsError:
        return None
    # No row is too long, so as many delimiters as rows of full width have mean that none is too short
    lines, delimiters = _structure(view, ends, delimiter, quoted=quoted)
    if frame.height != lines or delimiters != lines * (width - 1):
        return None
    if quoted and b'""' in data:
        frame = frame.with_columns(pl.all().replace("", None))
    if len(data) >= limits.MAX_RECORD_CHARACTERS and _has_long_field(frame):
        return None
    numbers = pl.int_range(first_row, first_row + frame.height, dtype=pl.UInt32, eager=True)
    return frame.insert_column(0, numbers.alias("row"))


def _structure(view: Bytes, ends: Places, delimiter: str, *, quoted: bool) -> tuple[int, int]:
    """Lines and delimiters outside quotation marks; an unfinished last line counts."""
    unfinished = int(view[-1] != NEWLINE[0])
    separators = view == ord(delimiter)
    if not quoted:
        return len(ends) + unfinished, int(np.count_nonzero(separators))
    outside = np.bitwise_xor.accumulate((view == QUOTE[0]).view(np.uint8)) == 0
    return int(np.count_nonzero(outside[ends])) + unfinished, int(np.count_nonzero(separators & outside))


def _has_odd_lines(data: bytes, view: Bytes, ends: Places) -> bool:
    """Blank lines, or carriage returns that are not half of a line end."""
    if data.startswith((NEWLINE, RETURN)) or bool((np.diff(ends) == 1).any()):
        return True
    if RETURN not in data:
        return False
    returns = np.flatnonzero(view == RETURN[0])
    lone = returns[-1] + 1 == len(data) or bool((view[returns + 1] != NEWLINE[0]).any())
    return lone or bool((np.diff(returns) == 2).any())


def _has_long_field(frame: pl.DataFrame) -> bool:
    longest = frame.select(pl.max_horizontal(pl.all().str.len_bytes().max())).item()
    return isinstance(longest, int) and longest > LONG_FIELD_BYTES
