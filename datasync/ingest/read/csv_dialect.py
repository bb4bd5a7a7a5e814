"""Which character separates the cells of a text file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from itertools import islice

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_RECORDS = 60
DEFAULT = ","


def detect_delimiter(text: str, expected_header: Sequence[str] = ()) -> str:
    """The delimiter under which the first records show the expected headers, or else agree best on a width."""
    return max(DELIMITERS, key=lambda delimiter: _score(text, delimiter, frozenset(expected_header)))


def _score(text: str, delimiter: str, expected: frozenset[str]) -> tuple[int, float]:
    records = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), SAMPLE_RECORDS))
    hits = max((sum(1 for cell in record if cell.strip() in expected) for record in records), default=0)
    widths = Counter(len(record) for record in records if record)
    width, count = max(widths.items(), key=lambda item: (item[1] * (item[0] - 1), item[1]), default=(1, 0))
    return hits, (width - 1) * count * count / max(1, sum(widths.values()))
