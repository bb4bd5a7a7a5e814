"""How large and how odd a file may be before it is refused: the reader's fixed bounds."""

from __future__ import annotations

from typing import Final

MEBIBYTE: Final = 1024 * 1024

# Archives: xlsx, xlsb and ods
MAX_ENTRIES: Final = 9_999
MAX_INFLATED_BYTES: Final = (
    4096 * MEBIBYTE
)  # declared, all parts together; reading never inflates beyond the declared size
MAX_SHEET_BYTES: Final = 3072 * MEBIBYTE
MAX_STRINGS_BYTES: Final = 768 * MEBIBYTE
MAX_PART_BYTES: Final = 32 * MEBIBYTE  # workbook, relations, styles
MAX_RATIO: Final = 200  # inflated by packed; refused only above RATIO_FLOOR_BYTES
RATIO_FLOOR_BYTES: Final = 64 * MEBIBYTE

# Sheets
MAX_COLUMNS: Final = 2_000
MAX_ROW_BYTES: Final = 64 * MEBIBYTE  # one row of sheet XML
MAX_LEGACY_BYTES: Final = 128 * MEBIBYTE  # xls, xlsb, ods and HTML are read whole
MAX_HEAD_ROWS: Final = 2_100  # the catalogue profiles 2,000

# Text
MAX_FIELD_CHARACTERS: Final = 131_072  # a longer cell is cut, and reported
MAX_RECORD_CHARACTERS: Final = 1_000_000  # a longer record is no export
TEXT_BLOCK_BYTES: Final = 4 * MEBIBYTE

# Between the child and its client
MAX_FRAME_BYTES: Final = 512 * MEBIBYTE
READ_AHEAD_BATCHES: Final = 2
