"""The loop that most projects begin with: openpyxl, and update_or_create for each row."""

from __future__ import annotations

import time
from pathlib import Path

import openpyxl

from bench.peers.columns import KEY, NAMES, TITLE_ROWS, typed_value
from bench.peers.django_table import order_model


def load(path: Path, database: str) -> float:
    """Seconds from the file to the stored rows."""
    model = order_model(database)
    begun = time.perf_counter()
    rows = (
        openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(min_row=TITLE_ROWS + 1, values_only=True)
    )
    names = [NAMES[str(header)] for header in next(rows)]
    for row in rows:
        values = {name: typed_value(name, value) for name, value in zip(names, row, strict=True)}
        model.objects.update_or_create(**{name: values.pop(name) for name in KEY}, defaults=values)
    return time.perf_counter() - begun
